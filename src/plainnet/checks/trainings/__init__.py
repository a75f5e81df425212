"""Trainings that went wrong: what the history says about the cause, and what the trained network shows of it.

`case` gathers what is known about one, `signs` what its curves show; `measurements` and `examples` look at the network and the data;
`rules` looks for one thing after the other; `causes` knows which causes make the same curves; `verify` tries a suggestion.
"""
