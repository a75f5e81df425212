"""`plainnet recipes`: list the recipes, which describe training runs."""

from __future__ import annotations

from plainnet.cli.saying import say


def recipes(name: str | None = None, /) -> None:
    """List the recipes, or show one.

    Parameters
    ----------
    name
        The recipe to show, with its comments.
    """
    from plainnet.recipes import available, read, source

    if name is not None:
        say(source(name), end="", fold=False)
    else:
        for known in available():
            say(f"{known:<16}{read(known).title}", indent=16)
