"""The lab: a web page to draw digits on, look inside a network, and watch it train.

`guard` checks each request, `server` has the routes, `engine` trains in a thread, `watching` measures a running
training, `looking` finds the evidence for an answer, `errors_of` sorts a model's mistakes, and `stories` are training
runs that each show one effect. `page/` holds the page itself.
"""
