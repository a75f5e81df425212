"""What `predict` sees of a picture of one digit, for the tests."""

from plainnet import InputError
from plainnet.sources.pen.reading import read
from plainnet.sources.picture_files import opened


def read_image(path):
    """Return the only digit in a picture, or raise `InputError` with the reason why there is none."""
    with opened(path) as picture:
        reading = read(picture)
    if len(reading.digits) != 1:
        raise InputError(f"{path}: {reading.reason}")
    return reading.digits[0].image
