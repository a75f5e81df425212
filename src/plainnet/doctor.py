"""The door to `checks/code`: examine backpropagation that somebody else wrote."""

from plainnet.checks.code.examination import Examination, describe, examination, examine_file
from plainnet.checks.code.examine import CodeFinding

__all__ = ["CodeFinding", "Examination", "describe", "examination", "examine_file"]
