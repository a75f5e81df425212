"""The door to `checks/code`: examine backpropagation that somebody else wrote."""

from plainnet.checks.code.sandboxed import Examination, describe, examination, examine_file
from plainnet.checks.code.verdicts import CodeFinding

__all__ = ["CodeFinding", "Examination", "describe", "examination", "examine_file"]
