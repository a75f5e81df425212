"""The diagnosis: find out what went wrong in a training, with evidence (public names of `checks/trainings`)."""

from plainnet.checks.trainings.case import Case, read_case
from plainnet.checks.trainings.finding import TrainingFinding
from plainnet.checks.trainings.rules import findings
from plainnet.checks.trainings.verify import verify

__all__ = ["Case", "TrainingFinding", "findings", "read_case", "verify"]
