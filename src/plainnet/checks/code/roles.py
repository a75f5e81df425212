"""Roles of arguments, recognized by their names, and the values that the doctor gives them."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

RATE = 0.1  # the value for a learning rate
N, D, M, K = 6, 5, 3, 4  # batch, features, units and classes, all different

_ROLES: tuple[tuple[str, str], ...] = (  # the first pattern that matches the whole name in lower case counts
    ("self", r"self|cls"),
    ("training", r"training|train|is_train\w*|train_fl\w*|train_flg|test(ing)?_?mode"),
    ("mode", r"mode"),
    ("verbose", r"verbose|print_\w+|debug|plot\w*|show\w*|display\w*|check_\w*|test|save\w*"),
    ("rate", r"(?!\w*drop)(\w*_)?(lr|rate|learning_?rate|eta|alpha|step_?size|learnrate|learn_rate|learning_r)|n|eta\w*|lrate|step"),
    ("drop", r"(\w*_)?(drop\w*|keep\w*)|p|ratio|prob(ability)?"),
    ("penalty", r"(\w*_)?(reg|lambda|lambd|lmbda|lam|lamda|l2|l1|decay|weight_decay|regularization\w*|reg_\w+|lambda_?\w*)_?"),
    ("epochs", r"(n_|num_|no_|nb_|max_|number_of_|train(ing)?_)*(epochs?|iter\w*|iterations?|steps|n_iter\w*|rounds|loops?)"),
    ("batch", r"(mini_?)?batch_?(size|num)?|mini_batch|m|n_samples|num_examples|n_examples|num_samples"),
    ("truncate", r"\w*trunc\w*"),
    ("momentum", r"momentum|mu|beta1|beta_1|rho"),
    ("eps", r"eps(ilon)?"),
    ("classes", r"(n_|num_)?(classes|class|labels_count|n_labels|num_labels)"),
    ("upstream", r"(d|d_)?(out|outs|output|outputs)_?(grad\w*|error\w*|delta)|d_?out\w*|dvalues|d?upstream\w*|up_?grad|"
     r"(accum_|output_|out_|upstream_|prev_|previous_|next_|incoming_|top_|in_)?(grad|gradient|grads|delta|deltas|error|errors|err|diff)s?"
     r"(_?(in|out|output|outputs|prev|next|wrt_out|top|y|z|above|cache|from_above|l|input))?|"
     r"d_?[yzaholusf]\d*|d_?(a|z)l?\d*|d[eljc]_?d\w+|dl|d_?loss|dnext\w*|d_?prev\w*|d_?h_?next|dh|delta_?\w*|next_?d\w*|loss_grad\w*|grad_\w+|\w+_grad|\w+_gradient|d_?\w*_?out|d"),
    ("cache", r"(\w*_)?(cache|caches|memory|memo|ctx|context|activation_cache|linear_cache|forward_cache)\d*"),
    ("parameters", r"(\w*_)?(params?|paras?|parameters|weights_and_biases|theta_dict|model)\d*"),
    ("target", r"y|t|(train\w*|test|batch|mini_?batch|data|dataset|sample|val)_y|(train(ing)?|expected|desired|true|correct|real|target|actual)_(set_)?outputs?(_\w+)?|(\w*_)?(targets?|labels?|y_?true|ytrue|truth|gt|actual|expected|desired|answers?|ground_truth)(_?\w*)|y_?(train|batch|b|mini|one_?hot|oh|hot|i|real|set|data|test|label|labels|actual|target|onehot|enc\w*)|one_?hot\w*|y_?\d?|t_?batch|y_mini_batch|d_?labels|ys|tt"),
    ("output", r"\w*_?tilde|y_?(hat|pred\w*|p|out|h)\w*|yhat|(\w*_)?(pred\w*|predictions?|outputs?|out|probs?|probabilities|logits|scores|softmax_output\w*|activations?)|al|a[1-9]l?|o|output_\w+|h_?theta|y_proba"),
    ("input", r"x\w*|(train\w*|test|batch|mini_?batch|data|dataset|sample|val)_x|(\w*_)?(inputs?|in|data|features?|samples?|images?|img|image|a_prev|a0|vec|vector|values?|val|z|z\d|points?|examples?|row|batch_x|v|u|s|h_prev|patterns?|arr|array|tensor)\d*(_?\w*)?|a|h|n|num|net|net_input|training_\w+"),
)  # fmt: skip
_EXACT = [(role, re.compile(f"(?:{pattern})")) for role, pattern in _ROLES]


def role_of(name: str) -> str:
    """Return the role that a name suggests: input, target, output, upstream, rate ..., or "" if unknown."""
    if name in ("Y", "T", "y", "t"):
        return "target"
    if weight_or_bias(name):
        return weight_or_bias(name)
    for spelled in dict.fromkeys((name, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))):  # trainLabels: train_Labels
        lower = spelled.lower().lstrip("_")
        for role, pattern in _EXACT:
            if pattern.fullmatch(lower):
                return role
    return ""


def weight_or_bias(name: str) -> str:
    """Return "weight" or "bias" for the name of one, otherwise an empty string."""
    lower = name.lower().strip("_")
    if re.fullmatch(
        r"w|w[_a-z]?[_a-z]?\d*|weights?_?\d*|weights?_\w+|(hidden|input|output|layer)\d?_weights?|w_\w+|kernels?|filters?|theta_?\d*|thetas?|syn_?\d|u\d?|wt\d?",
        lower,
    ) and not re.search(r"grad|decay", lower):
        return "weight"
    if re.fullmatch(
        r"b|b_?\d+|b[_a-z]?[a-z]?|bias(es)?_?\d*|bias\w*|(hidden|input|output|layer)\d?_bias(es)?|b_\w+|intercept",
        lower,
    ):
        return "bias"
    return ""


def tree_of(function: Callable[..., Any]) -> ast.Module | None:
    """Return the syntax tree of a function; None if its source cannot be read. It is cached, so do not change it."""
    return _tree_of(getattr(function, "__func__", function))


@lru_cache(4096)
def _tree_of(function: Callable[..., Any]) -> ast.Module | None:
    try:
        source = inspect.getsource(function)
        return ast.parse(textwrap.dedent(source))
    except (OSError, TypeError):
        return None
    except SyntaxError:  # a string or a comment in it is indented less than the function
        pass
    try:
        inside = ast.parse(f"if True:\n{source}").body[0]
        return ast.Module(inside.body, [])  # type: ignore[attr-defined]
    except SyntaxError:
        return None


@lru_cache(64)
def tree_of_module(module: ModuleType) -> ast.Module | None:
    """Return the syntax tree of a module; None if its source cannot be read."""
    try:
        return ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError):
        return None


def returned_names(function: Callable[..., Any]) -> list[list[str]]:
    """Return, for every return statement, the names of the returned values; "" for a value without a name."""
    return _returned_names(getattr(function, "__func__", function))


@lru_cache(4096)
def _returned_names(function: Callable[..., Any]) -> list[list[str]]:
    tree = _tree_of(function)
    if tree is None:
        return []
    found = []
    for node in _of_this_function(tree):
        if isinstance(node, ast.Return) and node.value is not None:
            values = node.value.elts if isinstance(node.value, ast.Tuple | ast.List) else [node.value]
            found.append([_name(value) for value in values])
    return found


def _of_this_function(tree: ast.Module) -> list[ast.AST]:
    """Return the nodes of the outermost function without those of functions inside it."""
    found: list[ast.AST] = []
    todo: list[ast.AST] = list(tree.body[0].body) if tree.body and hasattr(tree.body[0], "body") else []
    while todo:
        node = todo.pop(0)
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            todo += ast.iter_child_nodes(node)
    return found


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return ""


def number(role: str, name: str) -> Any:
    """Return the doctor's value for an argument that is not an array; None for arrays and unknown roles."""
    lower = name.lower()
    return {
        "training": "test" not in lower,
        "mode": "train",
        "verbose": False,
        "rate": RATE,
        "drop": 0.4,
        "penalty": 0.1,
        "epochs": 1,
        "batch": N,
        "truncate": 100,
        "momentum": 0.9,
        "eps": 1e-5,
        "classes": K,
    }.get(role)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    """Return numbers from N(0, 1), the same for the same shape and seed."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape)
