"""`plainnet recipes`: what can be trained."""

from __future__ import annotations


def recipes(name: str | None = None) -> None:
    """List the recipes, or show one.

    Parameters
    ----------
    name
        The recipe to show, comments included.
    """
    from plainnet.recipes import available, read, source

    if name is not None:
        print(source(name), end="")
    else:
        for known in available():
            print(f"{known:<16}{read(known).title}")
