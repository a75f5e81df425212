"""Trainings that went wrong: what the history says about the cause, and what the trained network shows of it.

`case` gathers what is known about one; `rules` asks in turn what can be seen itself (`evidence`), what can only be
concluded from the curves (`inference`), and what could be better in a training that works (`hints`).
"""
