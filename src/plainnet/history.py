"""The history of a training run: a list of its epochs' records, which a notebook shows as curves and a table."""

from __future__ import annotations

from plainnet.events import Epoch

_MOST_ROWS = 12


class History(list[Epoch]):
    """The records of all complete epochs, in order."""

    def _repr_html_(self) -> str:
        from plainnet.notebook import curves, table

        if not self:
            return "<p>no epoch is complete</p>"
        metric = next(iter(self[0].train), None)
        pictures = [
            curves("loss", {"training": [e.train_loss for e in self], "validation": [e.validation_loss for e in self]})
        ]
        if metric is not None:
            validation = [None if e.validation is None else e.validation.get(metric) for e in self]
            pictures.append(
                curves(
                    metric.replace("_", " "), {"training": [e.train[metric] for e in self], "validation": validation}
                )
            )
        head = [name.replace("_", " ") for name in self[0].to_table()]
        rows = [["" if value is None else f"{value:.4g}" for value in epoch.to_table().values()] for epoch in self]
        if len(rows) > _MOST_ROWS:
            rows = [*rows[: _MOST_ROWS // 2], ["\u2026"] * len(head), *rows[-_MOST_ROWS // 2 :]]
        return f"<div>{''.join(pictures)}{table(head, rows)}</div>"
