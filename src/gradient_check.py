"""The original's own command, `python src/gradient_check.py`: every gradient of the classic network."""

import sys

from plainnet.cli.check import check

sys.exit(check())
