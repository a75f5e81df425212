"""The one error a user is meant to read: what was wrong, what was received, what to do."""

from plainnet.foreign.showing import shown

_LONGEST = 700  # letters; longer sentences quote something nobody will read


class InputError(ValueError):
    """Bad input, explained in one or two sentences; the command line prints it without a traceback.

    What it quotes, names of files or values received, is shown as text, whatever it holds.
    """

    def __init__(self, sentence: object = "") -> None:
        super().__init__(shown(sentence, _LONGEST))


class TrainingDivergedError(ArithmeticError):
    """Training reached a loss or a weight that is not finite; the message says where."""


class TrainingInterruptedError(Exception):
    """Training was asked to stop by a signal, and has saved all it needs to go on."""

    def __init__(self, signal: int, message: str) -> None:
        super().__init__(message)
        self.signal = signal
