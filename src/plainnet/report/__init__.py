"""A report: what came of a training, on one page that needs nothing else, with the trained network in it.

`gathering` reads results folders, `writing` puts the page together, `report.js` shows it.
"""
