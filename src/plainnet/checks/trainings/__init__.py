"""Diagnosis of training runs: find out from the history, the network and the data why a training run went wrong.

`case` gathers what is known about a training run, and `signs` what its curves show. `measurements` and `examples` look
at the network and the data. `rules` tests for one problem after the other. `causes` knows which causes give the same
curves. `verify` tries a suggestion.
"""
