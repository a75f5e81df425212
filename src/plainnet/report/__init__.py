"""The report: the results of training runs on one self-contained HTML page, with the trained network in it.

`gathering` reads results folders, `writing` makes the page, `report.js` shows it.
"""
