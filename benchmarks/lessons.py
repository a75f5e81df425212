"""Run the code of all lessons and write what it prints into their pages: python benchmarks/lessons.py [NUMBERS]."""

import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from running_lessons import with_outputs

for path in sorted((ROOT / "src" / "plainnet" / "course" / "lessons").glob("*.md")):
    if sys.argv[1:] and path.name[:2].lstrip("0") not in sys.argv[1:]:
        continue
    began = time.monotonic()
    page = path.read_text(encoding="utf-8")
    path.write_text(with_outputs(page, path.name), encoding="utf-8")
    print(f"{path.name}: {time.monotonic() - began:.1f} s")
