"""The original's own command, `python src/gradient_check.py`: every gradient of the classic network."""

import sys

from plainnet.cli.check import check

if len(sys.argv) > 1:
    print(f"{sys.argv[0]} takes no arguments; see what there is to choose with: plainnet check --help", file=sys.stderr)
    sys.exit(2)
sys.exit(check())
