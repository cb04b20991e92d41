"""The guide that a sampling asks for: stop strings, the calculator, or both."""

from mathjax import config
from mathjax.sample.advice import Guide
from mathjax.sample.calculator import Calculator
from mathjax.sample.stops import StopStrings


def build(sampling: config.Sampling, tokenizer) -> Guide | None:
    """The guide that `sampling` asks for; None where it asks for none."""
    guides = []
    if sampling.stop:
        guides.append(StopStrings(sampling.stop, tokenizer))
    if sampling.calculator:
        guides.append(Calculator(tokenizer))
    return guides[0] if len(guides) == 1 else _both(guides) if guides else None


def _both(guides):
    """The guide that answers what the first of several reasons asks for; an end before anything else."""

    def guide(tokens, forced, since):
        given = [advice for one in guides if (advice := one(tokens, forced, since)) is not None]
        return min(given, key=lambda advice: (advice.keep, not advice.end), default=None)

    return guide
