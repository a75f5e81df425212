"""Code of others: examine backpropagation that somebody else wrote, and say which line of it is wrong, and how.

The file is run in a process of its own (`worker`). What it defines is recognized by its form (`subjects`) and by what
it computes (`recognize`); its gradients are compared with derivatives found without them (`examine`). Where they differ,
every fault of a catalogue (`faults`) is put into a right implementation (`kinds`) in turn: the one that reproduces the wrong
numbers to many digits, and whose undoing therefore makes the check pass, is the diagnosis. `locate` finds its line.
"""
