"""Figures: loss and metrics as sums over examples, so that those of workers, batches and epochs can be added up."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Figures:
    """Sums over examples: of the loss, of each metric, and of the examples' weights."""

    loss: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    weight: float = 0.0  # divisor of the metrics
    counted: float = 0.0  # divisor of the loss, which includes class weights

    def add(self, other: Figures) -> None:
        """Add the figures of more examples."""
        self.loss += other.loss
        self.metrics = {name: self.metrics.get(name, 0.0) + value for name, value in other.metrics.items()}
        self.weight += other.weight
        self.counted += other.counted

    def mean_loss(self) -> float:
        """Return the mean loss, or 0 if all examples have a weight of 0."""
        return self.loss / self.counted if self.counted else 0.0

    def means(self) -> tuple[float, dict[str, float]]:
        """Return the mean loss and the mean of each metric."""
        return self.mean_loss(), {name: value / (self.weight or 1) for name, value in self.metrics.items()}
