"""Proof that the gradients are right: backpropagation compared with derivatives found without it."""

from plainnet.checks.gradients.check import Report, Row, assert_gradients, check_gradients

__all__ = ["Report", "Row", "assert_gradients", "check_gradients"]
