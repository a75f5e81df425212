"""The pages of the course, made from the lessons of the package: docs/learn/, which is not committed."""

import re
import shutil
from pathlib import Path

from plainnet.course.interactive import step_page
from plainnet.course.lessons import HERE, LESSONS, with_exercises

DOCS = Path(__file__).parent.parent
STEP = (
    '```{raw} html\n<iframe class="step" src="step.html" title="Step: one update of a small network"></iframe>\n```\n'
)


def write_lessons(app):
    """Write the lessons, their pictures and a list of them."""
    folder = DOCS / "learn"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "lessons" / "pictures", folder / "pictures")
    for lesson in LESSONS:
        page = with_exercises(lesson).replace("<!-- interactive: step -->", STEP)
        page = page.replace("../../../../docs/", "../").replace("../../../../README.md", "../reading.md")
        (folder / lesson.file).write_text(
            re.sub(r"^```text about$", "```text", page, flags=re.MULTILINE), encoding="utf-8"
        )
    names = "\n".join(lesson.file for lesson in LESSONS)
    count = sum(len(lesson.exercises) for lesson in LESSONS)
    (folder / "index.md").write_text(
        (DOCS / "site" / "course.md")
        .read_text(encoding="utf-8")
        .format(lessons=len(LESSONS), exercises=count, names=names),
        encoding="utf-8",
    )


def copy_step(app, exception):
    """Put the interactive figure beside the lessons."""
    if exception is None and app.builder.format == "html":
        (Path(app.outdir) / "learn" / "step.html").write_text(step_page(), encoding="utf-8")


def setup(app):
    """Have the pages written before they are read."""
    app.connect("builder-inited", write_lessons)
    app.connect("build-finished", copy_step)
    return {"parallel_read_safe": True}
