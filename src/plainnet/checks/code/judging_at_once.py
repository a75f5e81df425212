"""What is judged without a search among many calls: derivatives, losses apart from two plain functions, and engines."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

from plainnet.checks.code.common_losses import judge_common_losses, judge_fused_losses
from plainnet.checks.code.elementwise import judge_derivatives
from plainnet.checks.code.engines import Engine, engines_of
from plainnet.checks.code.judging_engines import judge_engines
from plainnet.checks.code.judging_losses import judge_losses
from plainnet.checks.code.verdicts import CodeFinding


class AtOnce(NamedTuple):
    """The findings on derivatives and losses and on the operations of engines, by name, and the engines."""

    derivatives: dict[str, CodeFinding]
    of_engines: dict[str, CodeFinding]
    engines: list[Engine]


@lru_cache(1)  # the search may run again, with arguments that a program has passed
def judged_at_once(module: ModuleType) -> AtOnce:
    """Judge the derivatives, losses and engines of a module."""
    engines = list(engines_of(module))
    derivatives = judge_derivatives(module) | judge_common_losses(module) | judge_fused_losses(module)
    derivatives |= judge_losses(module)
    return AtOnce(derivatives, judge_engines(engines, module), engines)
