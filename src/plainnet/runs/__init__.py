"""Runs: training a recipe once, from the initial weights to the results folder, and its use of the machine."""
