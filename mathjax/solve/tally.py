"""How far solving has come: attempts, the share that is correct, tokens."""

import contextlib
import time

from mathjax import metrics


@contextlib.contextmanager
def progress(records, samples, description, told=(0, 0, 0)):
    """A `Tally` shown as a bar; `told` are the attempts, the correct ones and the tokens that were there before."""
    total = len(records) * samples if hasattr(records, "__len__") else None
    with metrics.progress(total, description, "attempts", initial=told[0]) as bar:
        yield Tally(bar, told)


class Tally:
    """What was attempted so far, for the progress bar, and what it cost."""

    def __init__(self, bar, told=(0, 0, 0)):
        self.bar, self.begun = bar, time.perf_counter()
        self.attempts, self.correct, self.tokens = told
        self.tokens_before = self.tokens

    def add(self, correct, tokens):
        self.attempts, self.correct = self.attempts + 1, self.correct + correct
        self.tokens += tokens or 0
        rate = f", {self._rate():,.0f} tokens/s" if self.tokens else ""
        self.bar.set_postfix_str(f"{self.correct / self.attempts:.1%} correct{rate}", refresh=False)
        self.bar.update()

    def cost(self):
        seconds = time.perf_counter() - self.begun
        told = {"attempts": self.attempts, "correct": self.correct, "tokens": self.tokens}
        return told | {"seconds": seconds, "tokens_per_second": self._rate()}

    def _rate(self):
        return (self.tokens - self.tokens_before) / max(time.perf_counter() - self.begun, 1e-9)
