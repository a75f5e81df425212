"""The page: JavaScript that runs in a browser as it is, and alone in a file that needs nothing else.

`prepare.js` makes of strokes what a network sees, `forward.js` answers, `chart.js` draws figures, `pad.js` is the paper
to draw on, `step.js` computes every number of a small network. The lab serves them as modules; reports and
exported models hold them in one text.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def bundled(*names: str, exported: bool = False) -> str:
    """Return modules as one text, in this order: imports are left out, and exports too unless they are `exported`.

    Nothing in it is fetched. The modules' names live side by side, so that no two may define the same.
    """
    parts = []
    for name in names:
        text = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
        text = re.sub(r"^import [^;]*;\n", "", text, flags=re.MULTILINE)
        parts.append(text if exported else re.sub(r"^export ", "", text, flags=re.MULTILINE))
    return "\n".join(parts)
