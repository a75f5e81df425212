"""The verdicts of the doctor on a short text."""

import textwrap

import numpy as np

from plainnet.checks.code.worker import examined

HEAD = "import numpy as np\n\n"


def findings_in(folder, text):
    """Write a text to a file, with NumPy imported, and return what the doctor finds in it."""
    (folder / "file.py").write_text(HEAD + textwrap.dedent(text))
    with np.errstate(all="ignore"):
        return examined(folder / "file.py").findings


def verdicts_in(folder, text):
    """Return the verdict on each part of a text, by its name."""
    return {finding.name: finding.verdict for finding in findings_in(folder, text)}
