"""The lab: a page on which one draws, looks into a network, and trains while watching.

`guard` lets in who may come, `server` has the routes, `engine` trains in a thread, `watching` measures a training as it
goes, `looking` says what speaks for an answer, `errors_of` sorts a model's mistakes, `stories` are trainings that tell
something. `page/` is what the browser shows.
"""
