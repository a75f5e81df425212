"""Verdicts: the finding about one examined class or function, and remarks on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plainnet.checks.finding import Finding


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something worth knowing that does not make the gradient wrong: its name in the catalogue, the evidence, and its line."""

    name: str
    evidence: str
    line: int | None = None


@dataclass(frozen=True, kw_only=True)
class CodeFinding(Finding):
    """One verdict on a class or function; if it is wrong, also which gradient, which fault, and which line."""

    verdict: str
    array: str | None = None
    diagnosis: str | None = None
    line: int | None = None
    form: str = "class"
    function: str | None = None  # the name of the backward pass
    remarks: tuple[Remark, ...] = ()
    ran: tuple[str, ...] = ()  # the author's functions that ran in a right pass

    def to_table(self) -> dict[str, Any]:
        """Return the finding as plain values, without what ran."""
        table = super().to_table()
        del table["ran"]
        return table
