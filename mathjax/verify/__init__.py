"""A completion held against the answer: one Verdict, for evaluation, for filtering and for rewards."""

from mathjax.verify.styles import PROTOCOLS, verify
from mathjax.verify.verdict import Verdict
from mathjax.verify.verifier import Case, Verifier

__all__ = ["PROTOCOLS", "Case", "Verdict", "Verifier", "verify"]
