"""Formulas as MathML, made at build time with the converter of docutils: no script, no font, no request."""

from docutils import nodes
from docutils.utils.math import latex2mathml


def _write(self, node, *, block):
    tree = latex2mathml.math_tag_to_tree if hasattr(latex2mathml, "math_tag_to_tree") else latex2mathml.tex2mathml
    text = tree(node.astext(), as_block=block) if tree is latex2mathml.tex2mathml else tree(node.astext())
    self.body.append(f'<div class="math">{text}</div>' if block else text)
    raise nodes.SkipNode


def setup(app):
    """Register the renderer."""
    app.add_html_math_renderer(
        "mathml",
        (lambda self, node: _write(self, node, block=False), None),
        (lambda self, node: _write(self, node, block=True), None),
    )
    return {"parallel_read_safe": True}
