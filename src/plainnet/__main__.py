"""`python -m plainnet`, the same as the command `plainnet`."""

from plainnet.cli.app import run

run()
