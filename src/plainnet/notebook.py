"""Notebook displays of a network (a table) and of a training run's history (curves in SVG)."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT, _EDGE, _SIDE = 440, 220, 30, 72  # pixels; of a picture, its margin, and the margin for numbers
_COLORS = ("#2f7fc1", "#d1661a")  # legible on white and on black


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in HTML, with the first column aligned left and the others aligned right."""

    def line(cells: Sequence[str], tag: str) -> str:
        aligned = ("left", *["right"] * (len(cells) - 1))
        parts = zip(cells, aligned, strict=True)
        return (
            "<tr>"
            + "".join(
                f'<{tag} style="text-align:{side};padding:1px 10px">{html.escape(c)}</{tag}>' for c, side in parts
            )
            + "</tr>"
        )

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"


def curves(title: str, lines: Mapping[str, Sequence[float | None]]) -> str:
    """Return an SVG picture of figures by epoch, counted from 1; values that are not finite are left out."""
    known = [value for values in lines.values() for value in values if value is not None and math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    spread = high - low or 1.0
    count = max(map(len, lines.values()), default=0)

    def place(epoch: int, value: float) -> str:
        x = _SIDE + (_WIDTH - _SIDE - _EDGE) * (epoch / (count - 1) if count > 1 else 0.5)
        return f"{x:.1f},{_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * (value - low) / spread:.1f}"

    parts = [_text(_SIDE, 18, f"<b>{html.escape(title)}</b>"), _text(_SIDE - 6, _EDGE + 4, f"{high:.3g}", "end")]
    parts += [_text(_SIDE - 6, _HEIGHT - _EDGE, f"{low:.3g}", "end")] * (high > low)
    parts += [_text(_SIDE, _HEIGHT - 8, "epoch 1"), _text(_WIDTH - _EDGE, _HEIGHT - 8, f"{count}", "end")]
    for number, ((name, values), color) in enumerate(zip(lines.items(), _COLORS, strict=False)):
        points = [place(e, v) for e, v in enumerate(values) if v is not None and math.isfinite(v)]
        parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{color}" stroke-width="1.8"/>')
        parts += [
            f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="2.5" fill="{color}"/>' for p in points[-1:]
        ]
        parts.append(_text(_WIDTH - _EDGE - 90 * (len(lines) - 1 - number), 18, html.escape(name), "end", color))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'style="max-width:100%" role="img" aria-label="{html.escape(title)}">{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start", color: str = "currentColor") -> str:
    text = text.replace("<b>", '<tspan font-weight="bold">').replace("</b>", "</tspan>")
    style = f'fill="{color}" font-family="sans-serif" font-size="12" text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}" {style}>{text}</text>'
