"""The gradient check: compare backpropagation with numerical derivatives."""

from plainnet.checks.gradients.check import Report, Row, assert_gradients, check_gradients

__all__ = ["Report", "Row", "assert_gradients", "check_gradients"]
