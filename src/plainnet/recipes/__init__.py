"""Recipes: complete descriptions of training runs, as TOML files in this folder."""

from plainnet.recipes.overrides import override, parse_override
from plainnet.recipes.recipe import Recipe, available, read, recipe_for, source

__all__ = ["Recipe", "available", "override", "parse_override", "read", "recipe_for", "source"]
