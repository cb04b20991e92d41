"""Attempts as an engine makes them: records asked, completions put into words and judged."""

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from mathjax import config, prompts
from mathjax.records import Record
from mathjax.sample import guide, stops
from mathjax.sample.request import Request
from mathjax.solve.tally import progress
from mathjax.verify import Verdict, verify


class Asked(NamedTuple):
    """A record to be solved, its number, and which samples of it are wanted; None: all."""

    index: int
    record: Record
    samples: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A record, a completion and its verdict; `text` is the completion in words."""

    record: Record
    completion: Any  # of the engine, or of `sample.request`
    text: str
    verdict: Verdict

    @property
    def index(self) -> int:
        """Which of the records that were solved, from 0."""
        return self.completion.request

    @property
    def sample(self) -> int:
        """Which of the completions of its record, from 0."""
        return self.completion.sample

    @property
    def tokens(self) -> int | None:
        """How many tokens the completion has, where that is known."""
        return getattr(self.completion, "length", len(self.completion.tokens))


def solve(
    records: Iterable[Record],
    engine,
    tokenizer,
    template: str,
    sampling: config.Sampling,
    *,
    protocol: str = "strict",
    description: str = "solving",
) -> Iterator[Attempt]:
    """`sampling.samples` attempts at each record, in the order of the records and of the samples.

    Records are read as the engine has room for them, and an attempt is given out as soon as those before it are
    done. What waits meanwhile is what one long completion can be overtaken by: the engine's slots times
    `sampling.max_tokens` completions at most, and of a server what it answers meanwhile. Reports progress, and the time
    left where `records` has a length. ValueError names a record whose question the tokenizer or the engine cannot take,
    or that cannot be judged.
    """
    done: dict[int, dict[int, Attempt]] = {}
    asked, following = itertools.starmap(Asked, enumerate(records)), 0
    judge = functools.partial(verify, protocol=protocol)
    with progress(records, sampling.samples, description) as tally:
        for attempt in attempts(asked, engine, tokenizer, template, sampling, judge=judge):
            tally.add(attempt.verdict.correct, attempt.tokens)
            done.setdefault(attempt.index, {})[attempt.sample] = attempt
            while len(done.get(following, ())) == sampling.samples:
                group = done.pop(following)
                yield from (group[sample] for sample in sorted(group))
                following += 1


def attempts(
    asked: Iterable[Asked],
    engine,
    tokenizer,
    template: str,
    sampling: config.Sampling,
    *,
    judge: Callable[[Record, str], Verdict] = verify,
) -> Iterator[Attempt]:
    """An attempt at each sample that is asked for, as soon as it is there.

    `engine` has `check(request)` and `generate(requests, sampling)`; one of ids takes a guide as well, for the stop
    strings and the calculator of the sampling. `asked` is drawn from as it has room. ValueError as from `solve`.
    """
    waiting: dict[int, tuple[Record, set[int]]] = {}  # drawn, and the samples still to come
    requests = _requests(asked, engine, tokenizer, template, sampling.samples, waiting)
    guides = [guide.build(sampling, tokenizer)] if tokenizer else []
    with contextlib.closing(engine.generate(requests, sampling, *guides)) as completions:
        for completion in completions:
            record, samples = waiting.get(completion.request, (None, ()))
            if completion.sample not in samples:
                continue  # an engine may complete more of a group than was asked for
            samples.remove(completion.sample)
            if not samples:
                del waiting[completion.request]
            text = stops.cut(tokenizer.decode(completion.tokens), sampling.stop) if tokenizer else completion.text
            yield Attempt(record=record, completion=completion, text=text, verdict=judge(record, text))
    for index, (_, samples) in waiting.items():
        raise RuntimeError(f"the engine left record {index} without its samples {sorted(samples)}")


def _requests(asked, engine, tokenizer, template, samples, waiting):
    for index, record, wanted in asked:
        try:
            if tokenizer:
                prompt = prompts.encode(template, record, tokenizer)
            else:
                prompt = prompts.render_record(template, record, engine)
            request = Request(index, prompt, wanted)
            engine.check(request)
        except ValueError as error:
            raise ValueError(f"record {index}, {record.question[:80]!r}: {error}") from None
        waiting[index] = record, set(range(samples) if wanted is None else wanted)
        yield request
