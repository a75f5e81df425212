"""Checks: one room with three doors: our gradients, the code of others, and trainings that went wrong.

`gradients` compares backpropagation with derivatives found without it (`plainnet.check_gradients`); `code` does so for
code that somebody else wrote, and names the fault (`plainnet.doctor`); `trainings` reads a history and looks into the
network (`plainnet.diagnosis`). What a check says is a `Finding`.
"""
