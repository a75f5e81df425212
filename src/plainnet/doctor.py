"""The doctor: examine backpropagation that somebody else wrote, and name its faults (public names of `checks/code`)."""

from plainnet.checks.code.faults import CATALOGUE
from plainnet.checks.code.sandboxed import ENDINGS, Examination, describe, examination, examine_file
from plainnet.checks.code.severity import weighed
from plainnet.checks.code.told import examine
from plainnet.checks.code.verdicts import CodeFinding

__all__ = [
    "CATALOGUE",
    "ENDINGS",
    "CodeFinding",
    "Examination",
    "describe",
    "examination",
    "examine",
    "examine_file",
    "weighed",
]
