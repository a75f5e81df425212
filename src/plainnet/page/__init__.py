"""JavaScript for all pages: modules that a browser runs as they are, and that can be bundled into one file.

`prepare.js` turns strokes into the image that a network sees, `forward.js` computes answers, `dom.js` makes elements,
`chart.js` draws figures, `pad.js` is the paper to draw on, `step.js` computes every number of a small network. The lab
serves them as modules; reports and exported models contain them in one text.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def bundled(*modules: str | Path) -> str:
    """Return modules in this order as one text, without imports and exports; each by its name here, or by a path.

    The text fetches nothing. All modules share one scope, so no two may define the same name.
    """
    paths = [FOLDER / f"{module}.js" if isinstance(module, str) else module for module in modules]
    texts = (path.read_text(encoding="utf-8") for path in paths)
    return "\n".join(re.sub(r"^(import [^;]*;\n|export )", "", text, flags=re.MULTILINE) for text in texts)
