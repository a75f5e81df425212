"""The one error a user is meant to read: what was wrong, what was received, what to do."""


class InputError(ValueError):
    """Bad input, explained in one or two sentences; the command line prints it without a traceback."""


class TrainingDivergedError(ArithmeticError):
    """Training reached a loss that is not finite; the message says in which epoch."""
