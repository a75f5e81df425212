"""Networks of neurons as tables, {"weights": ..., "output": ..., "delta": ...}, as a widely copied tutorial writes them.

Three functions belong together: forward(network, row), backward(network, expected), which stores a delta in each
neuron, and update(network, row, rate), which changes the weights by it. They are judged together, by the change of the
weights. The last number of a row is its class.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.binding import OUT, own_functions
from plainnet.checks.code.episode import Episode, Names, required, seed_everything
from plainnet.checks.code.roles import RATE, D, K, M, random, tree_of_module

_FUNCTIONS = (("init|create|build", 3), ("forward|predict|feed", 2), ("back", 2), ("update", 3))


def functions_of_neurons(module: ModuleType) -> list[Callable[..., Any]]:
    """Return the functions that make a network of such neurons, run it forward and backward, and update it; or none."""
    own, found = own_functions(module), []
    for words, count in _FUNCTIONS:
        fitting = [f for name, f in own.items() if re.search(words, name, re.I) and len(required(f)) == count]
        found += fitting[:1]
    tree = tree_of_module(module) or ast.Module([], [])
    keys = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found if len(found) == len(_FUNCTIONS) and {"weights", "delta", "output"} <= keys else []


def episodes_of_neurons(module: ModuleType, back: str) -> Iterator[Episode]:
    """Yield one row for each class, with a network of D inputs, M hidden neurons and K outputs."""
    make, forward, backward, update = functions_of_neurons(module)
    for label in range(K):
        seed_everything()
        names: Names = {
            "network": make(D, M, K),
            "row": [*random(D, seed=label).tolist(), label],
            "t": np.eye(K)[label],
        }

        def run(names: Names) -> None:
            names[OUT] = np.array(forward(names["network"], names["row"]))

        def run_back(names: Names, dy: Any) -> None:
            backward(names["network"], names["t"].tolist())
            update(names["network"], names["row"], RATE)

        yield Episode(
            back, "functions", f"a row of class {label}", names, run, run_back, {"forward": forward, "backward": backward},
            given=frozenset({"row", "t"}), batch=1, rate=RATE, module=module, way=("neurons",),
        )  # fmt: skip
