"""What every check has to say: a finding, about something that has a name, with its evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing found: what it is about or what it is called, and what was measured that shows it."""

    name: str
    evidence: str = ""

    def to_table(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return asdict(self)
