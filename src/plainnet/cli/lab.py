"""`plainnet lab`: draw a digit, look inside, train while you watch, in a browser."""

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

PORT = 8765


def lab(
    what: str | None = None,
    /,
    *,
    port: WholeNumber = PORT,
    host: str = "127.0.0.1",
    allow_host: Annotated[list[str] | None, Parameter(negative=())] = None,
    no_browser: Annotated[bool, Parameter(negative=())] = False,
    out: Path = Path("results/lab"),
) -> None:
    """Open a page on which to draw digits, look inside the network that answers, train it and watch, see its mistakes.

    It is served to this machine alone, and needs no internet. With nothing given it trains fast99 while you draw.

    Parameters
    ----------
    what
        A model_final.safetensors file, a results folder, the model cnn that comes along, or the name of a recipe to
        train; a path that exists wins over a name.
    port
        The port to listen on; 0 takes any that is free.
    host
        The address to listen on; others than 127.0.0.1 let other machines in, if they know the token.
    allow_host
        Another name that the lab may be called by, behind JupyterHub, Codespaces or a tunnel; once for each.
    no_browser
        Print the address only.
    out
        The folder for the checkpoint of a training that is under way when the lab is stopped.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"--port must be from 0 to 65535, received {port}")
    try:
        from plainnet.lab.asking import Lab
        from plainnet.lab.server import application, new_token
        from plainnet.lab.serving import listening, serve
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise InputError("the lab is served by Starlette and uvicorn: pip install 'plainnet[lab]'") from error
    from plainnet.lab.stories import Start

    model, recipe = _chosen(what)
    with listening(host, port) as at:
        made = Lab(load_data(None), model, Path(what or "fast99").name, out)
        if recipe is not None:
            made.engine.ask(lambda: made.engine.begin((Start(recipe, recipe),)))
        token, name = new_token(), f"[{host}]" if ":" in host else host
        address = f"http://{name}:{at.getsockname()[1]}/?token={token}"
        say(f"the lab is open: {address}\nCtrl-C closes it", fold=False)
        names = (name, "localhost", "127.0.0.1", "[::1]", *(allow_host or ()))
        try:
            serve(application(made, token, names), at, address, browser=not no_browser)
        except TrainingInterruptedError:
            pass
        finally:
            if made.engine.close():
                say(f"saved; go on with: plainnet train --resume {out}")


def _chosen(what: str | None) -> tuple[Any, str | None]:
    """Return the model to answer with, or the recipe to train.

    Raises: `InputError` if it is neither.
    """
    if what is None:
        return None, "fast99"
    path = Path(what)
    if path.is_dir():
        return load_model(path / "model_final.safetensors"), None
    if path.exists() or what == "cnn":
        return load_model(path), None
    if what in available():
        return None, what
    raise InputError(
        f"there is no model, folder or recipe {what!r:.200}; the recipes are {', '.join(available())}, and cnn is a "
        "model as well"
    )
