"""The one error a user is meant to read: what was wrong, what was received, what to do."""


class InputError(ValueError):
    """Bad input, explained in one or two sentences; the command line prints it without a traceback."""


class TrainingDivergedError(ArithmeticError):
    """Training reached a loss or a weight that is not finite; the message says where."""


class TrainingInterruptedError(Exception):
    """Training was asked to stop by a signal, and has saved all it needs to go on."""

    def __init__(self, signal: int, message: str) -> None:
        super().__init__(message)
        self.signal = signal
