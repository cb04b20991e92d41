"""Questions in, graded attempts out: the one act behind evaluation, filtering and reinforcement learning.

    for attempt in solve(records, engine, tokenizer, template, sampling):  # in memory, in order
        ...
    for row in stored(path, settings, records, 8, lambda asked: attempts(asked, engine, tokenizer, template, sampling)):
        ...  # on disk as they come; the same call goes on where it was left

An engine completes ids, and then `tokenizer` makes them of words and words of them; or it takes and gives text itself,
as `sample.endpoint` does, and `tokenizer` is None. `solve.model` opens a model here.
"""

from mathjax.solve.attempt import Asked, Attempt, attempts, solve
from mathjax.solve.rows import about, merge, row, stored

__all__ = ["Asked", "Attempt", "about", "attempts", "merge", "row", "solve", "stored"]
