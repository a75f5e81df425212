"""Plans of log lines: which number is which figure, for all lines that differ only in their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from plainnet.checks.histories.cells import BROKEN, NUMBER
from plainnet.checks.histories.names import PART, TEST, meaning

_VALUE = rf"(?:tensor\(|\[)?(?P<value>{NUMBER}|nan|-?inf)(?P<of>/\d+(?![\d.]))?(?:\s*\(\s*(?P<mean>{NUMBER})\s*\))?(?:\s?(?P<percent>%))?"
_NAME = r"(?P<name>[A-Za-z][\w@./']*(?:[ \-(][A-Za-z(%][\w@./')%]*){0,5}?(?:@\d+)?)"
_PAIR = re.compile(
    rf"(?<![\w@./'])['\"]?{_NAME}['\"]?(?:\s*\((?P<bracket>[^()\d]*)\))?\s*(?:[:=]+>?|\bis\b|\s\|)\s*['\"]?(?![\d.:]*:\d){_VALUE}",
    re.I,
)
_SPACED = re.compile(
    rf"(?P<name>(?:(?:train|training|val|valid|validation|test|eval|dev)[ _-]?)?(?:avg[ _.]?)?(?:loss|acc(?:@1)?|prec@1|accuracy|err|error|lr|auc|f1|mse|mae|rmse|ppl|perplexity|cost))\s+"
    rf"{_VALUE}(?![\w:/])", re.I,
)  # fmt: skip
_REVERSED = re.compile(  # "0.95 C.E. Loss, 98.3% Accuracy"
    rf"(?<![\w.:]){_VALUE}\s+(?P<name>(?:(?:train(?:ing)?|val(?:idation)?|test|C\.E\.|avg\.?|average)\s+){{0,2}}(?:loss|accuracy|acc|error))\b", re.I,
)  # fmt: skip
_ENDS_WITH_NAME = re.compile(rf"{NUMBER}\s*%?\s+(?:[\w.]+\s+)?(?:loss|accuracy|acc|error)\W*$", re.I)
_EPOCH = re.compile(
    r"(?<!per )(?<!this )(?<!each )(?<!/)\bep(?:och)?\b(?:\((?:train|val|test)\))?[\s:=\[(#.'\"]*(?:no\.?\s*)?(?P<number>\d+(?:\.\d+)?)|^\s*Train:\s*(?P<timm>\d+)\s*\[",
    re.I,
)
_ITERATION = re.compile(
    r"\b(?:iter(?:ation)?s?|(?:global[ _])?step|batch|round|i(?=\s*=\s*\d+/\d))\b[\s:=\[(#.]*(?P<number>\d+)", re.I
)
_AFTER = re.compile(  # "Cost after iteration 100: 0.69", "Score at iteration 67 is 2.86", "Error after 100 epochs: 0.5"
    rf"(?P<name>(?:(?:train(?:ing)?|val(?:idation)?|test)[ _])?(?:cost|loss|error|score|accuracy|acc))\s+(?:at|after|in|for)\s+(?:(?:iteration|iter|epoch|step|batch|round)s?"
    rf"\s*[:#]?\s*(?P<number>\d+)|(?P<count>\d+)\s+(?:iterations?|epochs?|steps?))\s*(?:\bis\b|[:=,]|-+>)?\s*{_VALUE}", re.I,
)  # fmt: skip
_BOOSTED = re.compile(r"^\s*(?:\[LightGBM\].*)?\[(?P<number>\d+)\]\s*(?=\S)")
_DARKNET = re.compile(
    rf"^\s*(?P<number>\d+):\s*(?:{NUMBER}|-?nan|inf)\s*,\s*(?P<mean>{NUMBER}|-?nan|inf)\s+avg(?: loss)?,\s*(?P<rate>{NUMBER})\s+rate"
)
_CATBOOST = re.compile(rf"^\s*(?P<number>\d+):\s*learn:\s*(?P<learn>{NUMBER})(?:\s*test:\s*(?P<test>{NUMBER}))?")
_MARKED = re.compile(
    r"(?:^|[\[|,;\s({'\"])(?P<part>train(?:ing)?|val(?:id(?:ation)?)?|test|eval(?:uation)?|dev)(?:\s+(?:set|loop|metrics|results?))?['\"]?\s*(?:[:\]|)](?!\S*=)|-\s|\{|$)",
    re.I,
)
_ANNOUNCED = re.compile(  # "testing in eval mode...", "Start validation", "Now continue training"
    r"\W*(?:(?:start|begin|run|now|continue|perform)\w*\W+)*(?:(?P<train>train)|test|valid|eval)\w*"
    r"(?:\W+(?:in|on|the|mode|phase|set|eval(?:uation)?|start(?:s|ed)?|begins?|model|network|validation|test)\b)*\W*", re.I,
)  # fmt: skip
_EVALUATED = re.compile(r"Saving dict for global step|Eval(?:uation)? results", re.I)
_BEST = re.compile(
    r"\b(?:best|better)\b[^:=]{0,40}\b(?:at|in|from)\b[^:=]{0,20}\bepoch\b|\b(?:since|best) epoch\b", re.I
)  # about an earlier epoch
_LEVEL = re.compile(r"^\W*(?:INFO|DEBUG|WARN(?:ING)?)\b\W*")  # as Python's logging begins its lines
_BEST_BEFORE = re.compile(r"\b(?:best|max|min|highest|lowest)(?:[ _](?:val\w*|test|train\w*))?[ _]$", re.I)
_ENDED = re.compile(r"\bepoch\b[\s:#\[(]*\d+[\s/\d\])]*(?:is |has )?(?:completed?|finished|done|ended|took)\b", re.I)
_OF_ANOTHER = re.compile(r"best|max|min|highest|lowest|previous|initial|relative", re.I)
_OVER = re.compile(r"best iteration(?: is|:)|did not meet early stopping", re.I)
_YOLO = re.compile(rf"^\s*(?P<number>\d+)/\d+\s+[\d.]+G\s+(?P<figures>(?:{NUMBER}\s+){{10,13}}{NUMBER})\s*$")
_YOLO_SCORES = ("precision", "recall", "mAP50", "mAP50-95")
_YOLO_LOSSES = ("box_loss", "obj_loss", "cls_loss")
_BAR = re.compile(r"[=\-#█▏▎▍▌▋▊▉━╸╺▒░>.]{6,}|\d+%\|")
SPLIT = re.compile(rf"(?<![A-Za-z_@\d.])({NUMBER})")


@dataclass(frozen=True)
class Plan:
    """The meaning of the numbers in lines of one shape: places among the numbers, or infinity for a figure that is not finite.

    `part` is the part of the data that the line names, None if it names none; `bare` are the figures whose names give
    no part.
    """

    part: str | None = None
    bar: bool = False
    over: bool = False  # the training is over; the following lines repeat the best figures
    epoch: int | None = None
    step: int | None = None
    figures: tuple[tuple[str, int | float, int | None, bool], ...] = ()  # name, place, place of the whole, percent
    bare: frozenset[str] = field(default_factory=frozenset)
    announced: str | None = None  # the part of the data of the following lines: "" for training, or "val"

    def named(self, name: str, part: str) -> str:
        """Return the name of a figure in a line of a part of the data."""
        return f"{part}_{name}" if part and name in self.bare else name


def plan_of(line: str) -> Plan:
    """Return the meaning of the numbers in a line."""
    if (best := _BEST.search(line)) is not None and _EPOCH.search(line[: best.start()]) is None:
        return Plan()
    if len(line) < 80 and (announced := _ANNOUNCED.fullmatch(line)) is not None:
        return Plan(announced="" if announced["train"] else "val")
    places = {found.start(): place for place, found in enumerate(SPLIT.finditer(line))}
    counted = _EPOCH.search(line) or _YOLO.match(line)
    if counted is not None and re.match(r"\s*(?:s\b|sec|min)", line[counted.end() :]):
        counted = None  # this is the duration of an epoch, not its number
    step = _ITERATION.search(line) or _BOOSTED.search(line) or _DARKNET.search(line) or _CATBOOST.search(line)
    if counted is None and step is None and (after := _AFTER.search(line)) is not None:
        place = places.get(after.start("count"))
        epoch, step_ = (place, None) if "epoch" in after[0].lower() else (None, place)
        return Plan(_part(line), epoch=epoch, step=step_, figures=tuple(_figures(line, places)))
    figures = list(_figures(line, places))
    part = _part(line)
    if not figures and _ENDED.search(line):
        return Plan()  # the figures of this epoch are above
    if not figures and part and not line.rstrip().endswith(":"):
        part = None  # such as "Test samples: 10000"
    return Plan(
        part, bool(_BAR.search(line)), bool(_OVER.search(line)), counted and places.get(_start(counted)), step and places.get(step.start("number")),
        tuple(figures), frozenset(name for name, *_ in figures if (meant := meaning(name)) and meant.part is None and meant.figure != "rate"),
    )  # fmt: skip


def _start(counted: re.Match[str]) -> int:
    """Return the position at which the number of an epoch begins."""
    return max(counted.start(name) for name in counted.re.groupindex if name in ("number", "timm"))


def _part(line: str) -> str | None:
    """Return the part of the data that the first words of a line name, as in "Test set: Average loss: 0.1"."""
    line = _LEVEL.sub("", line)
    first = re.match(
        r"^\W*(?:\[?epoch[^\w]*\d+[^A-Za-z]*)?(?P<words>[A-Za-z]+(?:[ -][A-Za-z]+)?)(?![\w/.'\"])", line, re.I
    )
    if re.match(r"\s*\* +(?:Acc|Prec)@1", line, re.I):
        return "val"  # the last line of an evaluation, as PyTorch's ImageNet example prints it
    if _EVALUATED.search(line):
        return "val"
    if (mode := re.search(r"\bEpoch\((train|val|test)\)", line)) is not None:
        return mode[1]
    if first is None:
        return None
    found = PART.match(first["words"].lower())
    if found is None:
        return "" if re.match(r"^\W*epoch", line, re.I) else None
    return "train" if found["train"] else "test" if TEST.search(first["words"].lower()) else "val"


def _figures(line: str, places: dict[int, int]) -> Iterator[tuple[str, int | float, int | None, bool]]:
    """Yield the figures of a line: name, place of its number, place of the total it is a share of, and whether in percent."""
    if (yolo := _YOLO.match(line)) is not None:
        starts = [yolo.start("figures") + found.start() for found in re.finditer(r"\S+", yolo["figures"])]
        named = dict(zip(starts, [f"train/{name}" for name in _YOLO_LOSSES], strict=False))
        named |= dict(zip(starts[-7:], [*_YOLO_SCORES, *(f"val/{name}" for name in _YOLO_LOSSES)], strict=True))
        yield from ((name, places[start], None, False) for start, name in named.items() if start in places)
        return
    if (darknet := _DARKNET.search(line)) is not None:
        yield "loss", _place(darknet, "mean", places), None, False
        yield "lr", _place(darknet, "rate", places), None, False
        return
    if (boosted := _CATBOOST.search(line)) is not None:
        yield "learn_loss", _place(boosted, "learn", places), None, False
        if boosted["test"]:
            yield "val_loss", _place(boosted, "test", places), None, False
        return
    if (after := _AFTER.search(line)) is not None:
        name = "loss" if after["name"].lower() == "score" else after["name"]  # DL4J's name for the loss
        yield name, _place(after, "value", places), None, bool(after["percent"])
    marked = [(mark.start(), mark["part"].lower()) for mark in _MARKED.finditer(line)]
    seen: set[str] = set()
    part = None  # part of the data in the names of the figures so far
    for found in _pairs(line):
        name = None if _BEST_BEFORE.search(line[: found.start("name")]) else _shortened(found["name"])
        bracket = found.groupdict().get("bracket")
        if name is not None and bracket and PART.fullmatch(bracket.strip().lower()):
            name = f"{bracket.strip()}_{name}"  # "loss (train): 0.5"
        meant = None if name is None else meaning(name)
        if name is None or meant is None or meant.figure in ("epoch", "step", "time"):
            continue
        before = [part for place, part in marked if place < found.start("name") + len(found["name"]) - len(name)]
        if before and meant.part is None and meant.figure != "rate":
            name = f"{before[-1]}_{name}"  # "train: loss=0.5 | val: loss=0.6"
        elif name in seen and part is not None:
            name = (
                f"{'val' if part == 'validation' else part}_{name}"  # "train loss: 1, acc: 0.5 | val loss: 2, acc: 0.4"
            )
        if name in seen:
            continue
        part = meant.part or part
        seen.add(name)
        share = found["of"] is not None and meant.figure == "accuracy" and found["value"].isdecimal()
        value = "mean" if found["mean"] and not share else "value"  # 0.52 (0.48): of this batch, and the mean
        yield (
            name,
            _place(found, value, places),
            places.get(found.start("of") + 1) if share else None,
            bool(found["percent"]),
        )


def _pairs(line: str) -> list[re.Match[str]]:
    """Return the names with a number, in their order; in a line that ends with a name, the number comes before each name."""
    if _ENDS_WITH_NAME.search(line):
        return list(_REVERSED.finditer(line))
    return sorted([*_PAIR.finditer(line), *_SPACED.finditer(line)], key=re.Match.start)


def _place(found: re.Match[str], name: str, places: dict[int, int]) -> int | float:
    """Return the place of a number among those of its line; infinity for "nan" and "inf"."""
    return places.get(found.start(name), BROKEN)


def _shortened(name: str) -> str | None:
    """Return the last words of a name that tell the figure: all of "Train Epoch Loss", the last of "and the loss"."""
    words = re.split(r"(?<=\w)[ ](?=\S)", name.strip())
    for start in range(len(words)):
        if start and _OF_ANOTHER.fullmatch(words[start - 1]):
            return None  # the best accuracy so far is not that of this line
        candidate = " ".join(words[start:])
        if meaning(candidate) is not None:
            return candidate.strip("'\" ")
    return None
