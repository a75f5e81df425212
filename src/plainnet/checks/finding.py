"""A finding: the result of a check, with a name and the evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One result of a check: the name of the problem or of the code examined, and the measurements that show it."""

    name: str
    evidence: str = ""

    def to_table(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return asdict(self)
