"""Runs: one training of a recipe, from the initial weights to the results folder, and its use of the machine."""
