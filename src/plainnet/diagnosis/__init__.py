"""Diagnosis: what a training's history says about what went wrong, and what the trained network shows of it."""

from plainnet.diagnosis.case import Case, read_case
from plainnet.diagnosis.finding import Finding
from plainnet.diagnosis.findings import findings
from plainnet.diagnosis.verify import verify

__all__ = ["Case", "Finding", "findings", "read_case", "verify"]
