"""Checks find out whether gradients are right, what is wrong in other people's code, and why a training run fails.

`gradients` compares backpropagation with numerical derivatives (`plainnet.check_gradients`). `code` does the same for
code that somebody else wrote, and names the fault (`plainnet.doctor`). `trainings` reads a history and looks into the
network (`plainnet.diagnosis`). The result of a check is a `Finding`.
"""
