"""How many samples of a question are worth their price: the rule of adaptive sampling."""

from collections.abc import Sequence

from mathjax import config


def wanted(rule: config.Adaptive, keys: Sequence[str | None], k: int) -> int:
    """How many samples the rule takes of a question, from the keys of those that are there; None: of one not right.

    Samples are taken `rule.round` at a time. A question is saturated, and left, when so many as `rule.patience` rounds
    in a row brought no path that it did not have; `k` are taken at most. One that is not solved goes on to `rule.most`,
    if that is more. The answer depends on the first so many keys alone; where it is more than there are, it is the end
    of the next round.
    """
    taken, idle, seen = 0, 0, set()
    while taken < (k if seen else max(k, rule.most)) and idle < rule.patience:
        before, taken = taken, taken + rule.round
        if taken > len(keys):
            return taken
        found = {key for key in keys[before:taken] if key is not None} - seen
        idle = idle + 1 if seen and not found else 0
        seen |= found
    return taken
