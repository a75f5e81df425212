"""Trainings that are spoiled on purpose: what `benchmarks/sabotage.py` puts into which networks, and how."""
