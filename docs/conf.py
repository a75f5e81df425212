"""How Sphinx builds the site in docs/_build/html: neither the build nor the pages fetch anything."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "site"))

project = "plainnet"
copyright = "the authors of plainnet"  # noqa: A001  (Sphinx calls it so)
extensions = ["myst_parser", "course_pages", "reference_pages", "mathml", "repository_links"]
myst_enable_extensions = ["dollarmath"]
myst_dmath_double_inline = True
myst_heading_anchors = 4
exclude_patterns = ["_build", "site"]
html_theme = "furo"
html_title = "plainnet"
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_copy_source = False
highlight_language = "none"
nitpicky = True
