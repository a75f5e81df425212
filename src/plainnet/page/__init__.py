"""The page: JavaScript that runs in a browser as it is, and alone in a file that needs nothing else.

`prepare.js` makes of strokes what a network sees, `forward.js` answers, `dom.js` makes elements, `chart.js` draws
figures, `pad.js` is the paper to draw on, `step.js` computes every number of a small network. The lab serves them as
modules; reports and exported models hold them in one text.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def bundled(*modules: str | Path) -> str:
    """Return modules, ours by name or others by path, as one text, in this order, without imports and exports.

    Nothing in it is fetched. The modules' names live side by side, so that no two may define the same.
    """
    paths = [FOLDER / f"{module}.js" if isinstance(module, str) else module for module in modules]
    texts = (path.read_text(encoding="utf-8") for path in paths)
    return "\n".join(re.sub(r"^(import [^;]*;\n|export )", "", text, flags=re.MULTILINE) for text in texts)
