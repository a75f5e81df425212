"""Runs: a recipe's training, from the first weights to the results folder, and what it needs from the machine."""
