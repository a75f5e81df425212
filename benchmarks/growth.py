"""How the cost of an epoch grows; writes records/growth.json and docs/pictures/growth.png."""

from pathlib import Path

from plainnet.bench.growth import IMAGES, measure, picture
from plainnet.bench.run import conditions
from plainnet.files import to_json, write_atomically

ROOT = Path(__file__).parent.parent

record = conditions() | measure(IMAGES)
write_atomically(ROOT / "records" / "growth.json", to_json(record))
write_atomically(ROOT / "docs" / "pictures" / "growth.png", picture(record))
