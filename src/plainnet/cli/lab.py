"""`plainnet lab`: draw a digit, look inside the network and watch it train, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from plainnet.cli.own_data import load_data
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber
from plainnet.errors import InputError, TrainingInterruptedError
from plainnet.model_file import load_model
from plainnet.recipes import available

PORT, COMES_ALONG = 8765, "cnn"


def lab(
    what: str | None = None,
    /,
    *,
    port: WholeNumber = PORT,
    host: str = "127.0.0.1",
    allow_host: Annotated[list[str] | None, Parameter(negative=())] = None,
    no_browser: Annotated[bool, Parameter(negative=())] = False,
    beside: Annotated[list[str] | None, Parameter(negative=())] = None,
    data: Path | None = None,
    out: Path = Path("results/lab"),
) -> None:
    """Open a web page where you draw digits, look inside the network, watch it train and see its mistakes.

    The page is served to this machine only and needs no internet. By default it trains fast99 while you draw.

    Parameters
    ----------
    what
        A model_final.safetensors file, a results folder, or cnn, the model that comes with plainnet.
        Or the name of a recipe to train. An existing path takes precedence over a name.
    port
        The port to listen on. 0 takes any free port.
    host
        The address to listen on. With any other than 127.0.0.1, other machines can connect if they know the token.
    allow_host
        Another host name to accept, for use behind JupyterHub, Codespaces or a tunnel. May be repeated.
    no_browser
        Print the address, but do not open a browser.
    data
        The model's training data, if they have moved.
    beside
        Another model to compare with: a file, a results folder, or cnn. May be repeated.
    out
        The folder for the checkpoint, if the lab is stopped during training.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"--port must be from 0 to 65535, received {port}")
    try:
        from plainnet.lab.server import application, new_token
        from plainnet.lab.serving import listening, serve
        from plainnet.lab.state import Lab
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise InputError("the lab needs Starlette and uvicorn: pip install 'plainnet[lab]'") from error
    from plainnet.lab.stories import Start

    model, recipe = _chosen(what)
    found = _data_of(model, what, data)
    others = {Path(other).absolute().name: _drawn_for(other) for other in beside or ()}
    for name, one in others.items():
        if one.class_names != tuple(found.train.class_names):
            raise InputError(f"{name} has different classes from these data; compare models with the same classes")
    with listening(host, port) as at:
        made = Lab(found, model, Path(what or "fast99").absolute().name, out, others)
        if recipe is not None:
            made.engine.ask(lambda: made.engine.begin((Start(recipe, recipe),)))
        token, name = new_token(), f"[{host}]" if ":" in host else host
        address = f"http://{name}:{at.getsockname()[1]}/?token={token}"
        say(f"the lab is open: {address}\npress Ctrl-C to close it", fold=False)
        names = (name, "localhost", "127.0.0.1", "[::1]", *(allow_host or ()))
        try:
            serve(application(made, token, names), at, address, browser=not no_browser)
        except TrainingInterruptedError:
            pass
        finally:
            if made.engine.close():
                say(f"saved; resume with: plainnet train --resume {out}")


def _chosen(what: str | None) -> tuple[Any, str | None]:
    """Return the model to show, or the recipe to train.

    Raises: `InputError` if it is neither.
    """
    if what is None:
        return None, "fast99"
    if Path(what).exists() or what == COMES_ALONG:
        return _drawn_for(what), None
    if what in available():
        return None, what
    raise InputError(
        f"there is no model, folder or recipe {what!r:.200}; the recipes are {', '.join(available())}, and cnn is "
        "also a model"
    )


def _drawn_for(what: str) -> Any:
    """Return a model that reads handwritten digits.

    Raises: `InputError` if it takes other inputs.
    """
    model = load_model(what)
    if not model.reads_a_pen or not model.class_names:
        raise InputError(
            f"{what} does not read handwriting in 28x28 pixels, which the lab needs; use plainnet report RESULTS or "
            "plainnet predict instead"
        )
    return model


def _data_of(model: Any, what: str | None, moved: Path | None) -> Any:
    """Return the training data of a model, MNIST if it names no others.

    Raises: `InputError` if they are missing, or have other classes.
    """
    described = None if model is None else model.about.get("recipe", {}).get("data")
    if moved is not None:
        described = dict(described or {}) | {"path": str(moved)}
    try:
        data = load_data(described)
    except InputError as error:
        raise InputError(
            f"the lab needs the training data of {what}: {error}; if they have moved, give --data"
        ) from error
    if model is not None and tuple(data.train.class_names) != model.class_names:
        raise InputError(f"{what} has different classes from its data; train it again, or use plainnet predict")
    return data
