"""Events: the records that a training run yields while you iterate over it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Batch(NamedTuple):
    """The record of one update, made from one batch.

    `number` is the batch's number in its epoch, from 1 to `of`. `loss` is the mean over the batch, before the update;
    `seconds` is the time the batch took.

    Example:
        >>> from plainnet import Batch
        >>> batch = Batch(epoch=1, number=2, of=10, loss=0.5, learning_rate=0.1, seconds=0.01)
        >>> f"batch {batch.number} of {batch.of}, loss {batch.loss}"
        'batch 2 of 10, loss 0.5'
    """

    epoch: int
    number: int
    of: int
    loss: float
    learning_rate: float
    seconds: float


class Epoch(NamedTuple):
    """The record of one epoch, that is, one pass over the training examples.

    The training figures are means over the epoch's batches, taken while the weights still change; the validation
    figures belong to the weights at the epoch's end. `train` and `validation` hold the metrics by name, such as
    "accuracy", between 0 and 1. Cross-entropies are in nats. `learning_rate` is that of the last batch; `seconds` is
    the time spent on training, without the validation.

    Example:
        >>> from plainnet import Epoch
        >>> print(Epoch(1, 0.25, {"accuracy": 0.9}, None, None, 0.1, 2.0))
        epoch   1  loss 0.2500  train  90.00%  learning rate 0.1       2.0 s
    """

    number: int
    train_loss: float
    train: dict[str, float]
    validation_loss: float | None
    validation: dict[str, float] | None
    learning_rate: float
    seconds: float

    @property
    def train_accuracy(self) -> float | None:
        """The training accuracy, if it was measured."""
        return self.train.get("accuracy")

    @property
    def validation_accuracy(self) -> float | None:
        """The validation accuracy, if it was measured."""
        return (self.validation or {}).get("accuracy")

    def to_table(self) -> dict[str, Any]:
        """Return the record as plain values, with one key per metric: train_accuracy, validation_accuracy, ..."""
        return {
            "epoch": self.number,
            "train_loss": self.train_loss,
            **{f"train_{name}": value for name, value in self.train.items()},
            "validation_loss": self.validation_loss,
            **{f"validation_{name}": None if self.validation is None else self.validation[name] for name in self.train},
            "learning_rate": self.learning_rate,
            "seconds": self.seconds,
        }

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> Epoch:
        """Return the record from the plain values that `to_table` returned.

        Raises: `KeyError`, `TypeError` or `ValueError` if they are not such a record.
        """
        names = [key.removeprefix("train_") for key in table if key.startswith("train_") and key != "train_loss"]
        validated = table["validation_loss"] is not None
        return cls(
            int(table["epoch"]),
            float(table["train_loss"]),
            {name: float(table[f"train_{name}"]) for name in names},
            float(table["validation_loss"]) if validated else None,
            {name: float(table[f"validation_{name}"]) for name in names} if validated else None,
            float(table["learning_rate"]),
            float(table["seconds"]),
        )

    def __str__(self) -> str:
        def shown(figures: dict[str, float]) -> str:
            return "  ".join(
                f"{figures[name]:7.2%}" if name == "accuracy" else f"{name.replace('_', ' ')} {figures[name]:.4g}"
                for name in figures
            )

        validation = "" if self.validation is None else f"  validation {shown(self.validation)}"
        return (
            f"epoch {self.number:3d}  loss {self.train_loss:.4f}  train {shown(self.train)}{validation}"
            f"  learning rate {self.learning_rate:<8.3g}  {self.seconds:.1f} s"
        )
