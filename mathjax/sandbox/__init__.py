"""The only place that starts processes for code that nobody has read."""

from mathjax.sandbox.limits import LEVELS, Limits, Outcome
from mathjax.sandbox.pool import Sandbox

__all__ = ["LEVELS", "Limits", "Outcome", "Sandbox"]
