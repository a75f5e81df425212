"""Links from pages to files of the repository that are not pages: their names are shown as text, since a site stands alone."""

import os
import re
from pathlib import Path

DOCS = Path(__file__).parent.parent
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+)(#[^)]*)?\)")
PAGES = {"README.md": "reading.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}


def resolved(text, home, page):
    """Return a text whose links are taken from the folder `home` and written as seen from the folder of `page`."""

    def link(found):
        path = (home / found[2]).resolve()
        if "://" in found[2] or not path.is_relative_to(DOCS.parent):
            return found[0]
        if path.parent == DOCS.parent and path.name in PAGES:
            path = DOCS / PAGES[path.name]
        if path.is_relative_to(DOCS):
            return f"[{found[1]}]({os.path.relpath(path, page)}{found[3] or ''})"
        return f"{found[1]} (`{path.relative_to(DOCS.parent)}`)"

    return LINK.sub(link, text)


def read(app, name, source):
    """Resolve the links of a page."""
    folder = (DOCS / name).parent
    source[0] = resolved(source[0], folder, folder)


def included(app, path, name, source):
    """Resolve the links of a file of the repository that a page includes."""
    source[0] = resolved(source[0], DOCS.parent, (DOCS / name).parent)


def setup(app):
    """Have every page pass by here before it is read."""
    app.connect("source-read", read)
    app.connect("include-read", included)
    return {"parallel_read_safe": True}
