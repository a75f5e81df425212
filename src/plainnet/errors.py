"""Errors for users: an `InputError` says what was wrong, what was received and what to do."""

from plainnet.foreign.showing import shown

_LONGEST = 700  # characters; a longer message quotes something that nobody will read


class InputError(ValueError):
    """Invalid input, explained in one or two sentences; the command line prints it without a traceback.

    File names and values that the message quotes are shown as harmless text, whatever characters they hold.

    Example:
        >>> from plainnet import Dense, InputError
        >>> try:
        ...     Dense(0)
        ... except InputError as error:
        ...     print(error)
        units must be a whole number from 1 to 1,000,000, received 0
    """

    def __init__(self, sentence: object = "") -> None:
        super().__init__(shown(sentence, _LONGEST))


class TrainingDivergedError(ArithmeticError):
    """The loss or a weight is no longer finite (it is infinite or NaN); the message says at which batch.

    Example:
        >>> import numpy as np
        >>> from plainnet import SGD, Dense, MeanSquaredError, Network, TrainingDivergedError, fit
        >>> network, options = Network(Dense(1)).build(1), {"batch_size": 1, "epochs": 9, "learning_rate": 1e12}
        >>> try:
        ...     with np.errstate(over="ignore"):
        ...         fit(network, MeanSquaredError(), SGD(), ([[1.0]], [3.0]), **options)
        ... except TrainingDivergedError as error:
        ...     print(str(error).partition(";")[0])
        training diverged in epoch 3, batch 1 of 1: the loss is inf
    """


class TrainingInterruptedError(Exception):
    """A signal asked training to stop; everything needed to resume it has been saved."""

    def __init__(self, signal: int, message: str) -> None:
        super().__init__(message)
        self.signal = signal
