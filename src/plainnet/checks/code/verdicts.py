"""One verdict on one subject."""

from __future__ import annotations

from dataclasses import dataclass

from plainnet.checks.finding import Finding


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something to know that is no fault of the gradient: its name in the catalogue, what shows it, and its line."""

    name: str
    evidence: str
    line: int | None = None


@dataclass(frozen=True, kw_only=True)
class CodeFinding(Finding):
    """One verdict on a subject, and where it is wrong, on which gradient, why, and in which line."""

    verdict: str
    array: str | None = None
    diagnosis: str | None = None
    line: int | None = None
    form: str = "class"
    function: str | None = None  # the backward pass by its own name
    remarks: tuple[Remark, ...] = ()
