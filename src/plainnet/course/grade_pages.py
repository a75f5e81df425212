"""Pages of grades: for each student what is wrong and why, and for the class what is often wrong."""

from __future__ import annotations

from collections import Counter
from html import escape

from plainnet.course.assignment import Assignment
from plainnet.course.grading import Grade
from plainnet.course.judging import Judgement
from plainnet.page import FOLDER


def page_of_student(grade: Grade, assignment: Assignment) -> str:
    """Return the feedback for one submission as an HTML page."""
    titles = {one.name: one.told.title or one.name for one in assignment.exercises}
    points = _of(grade.points, assignment.out_of)
    parts = [f"<h1>{escape(assignment.title)}</h1><p><b>{escape(grade.name)}</b>: {points} points</p>"]
    parts += [_feedback(one, titles[one.name]) for one in grade.judgements]
    return _document(f"{assignment.title}: {grade.name}", "".join(parts))


def _feedback(one: Judgement, title: str) -> str:
    said = [f"<h2>{escape(one.name)}: {escape(title)}</h2><p>{_of(one.points, one.out_of)} points</p>"]
    if one.passed:
        said.append("<p>Right.</p>")
    else:
        line = f" (line {one.line})" if one.line else ""
        said.append(f"<p><b>{escape(one.says)}</b>{line}</p>")
    if one.evidence:
        said.append(f"<p>Evidence: {escape(one.evidence)}</p>")
    if one.wrong and one.right:
        said.append(f"<p>{len(one.right)} of {len(one.right) + len(one.wrong)} results are right.</p>")
    said += [f"<p>Remark: {escape(remark)}</p>" for remark in one.remarks]
    return "<section class='card'>" + "".join(said) + "</section>"


def page_of_class(grades: list[Grade], assignment: Assignment, pairs: dict[str, list[tuple[str, str, float]]]) -> str:
    """Return the page for the teacher: grades, frequent mistakes, and similar answers."""
    names = [one.name for one in assignment.exercises]
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in ("student", *names, "points"))
    rows = "".join(
        f"<tr><th scope='row'>{escape(grade.name)}</th>"
        + "".join(f"<td>{one.points:g}</td>" for one in grade.judgements)
        + f"<td>{grade.points:g}</td></tr>"
        for grade in grades
    )
    mistakes = Counter((one.name, one.says) for grade in grades for one in grade.judgements if not one.passed)
    often = "".join(
        f"<tr><td>{count}</td><td>{escape(name)}</td><td>{escape(says)}</td></tr>"
        for (name, says), count in mistakes.most_common(30)
    )
    alike = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(a)}</td><td>{escape(b)}</td><td>{share:.0%}</td></tr>"
        for name, found in pairs.items()
        for a, b, share in found
    )
    body = f"<h1>{escape(assignment.title)}: {len(grades)} submissions</h1>"
    body += f"<h2>What is often wrong</h2><table><tr><th>times</th><th>exercise</th><th>what</th></tr>{often}</table>"
    body += f"<h2>Grades</h2><p>Out of {assignment.out_of:g} points.</p><table><tr>{head}</tr>{rows}</table>"
    if alike:
        body += (
            "<h2>Similar answers</h2><p>These share most of their code when names and layout are left out. "
            "Look at them; similarity alone proves nothing.</p>"
            f"<table><tr><th>exercise</th><th>one</th><th>other</th><th>shared</th></tr>{alike}</table>"
        )
    return _document(f"{assignment.title}: class", body)


def _of(points: float, out_of: float) -> str:
    return f"{points:g} of {out_of:g}"


_STYLE = "main { max-width: 60rem; margin: 0 auto; padding: 1rem } td, th { padding: .2rem .6rem; text-align: left }"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def _document(title: str, body: str) -> str:
    style = (FOLDER / "base.css").read_text(encoding="utf-8")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{style}{_STYLE}</style>
</head>
<body><main>{body}</main></body>
</html>
"""
