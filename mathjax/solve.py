"""Questions in, graded attempts out: the one act behind evaluation, filtering and reinforcement learning."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mathjax import config, metrics, prompts
from mathjax.records import Record
from mathjax.sample.engine import Completion, Engine, Request
from mathjax.verify import Verdict, verify


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A record, a completion and its verdict; `text` is the completion in words."""

    record: Record
    completion: Completion
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


def solve(
    records: Iterable[Record],
    engine: Engine,
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
    `sampling.max_tokens` completions at most. Reports attempts per second and the time left, where `records` has a
    length. ValueError names a record whose question the tokenizer or the engine cannot take, or that cannot be judged.
    """
    waiting: dict[int, Record] = {}  # read, and not yet given out
    done: dict[int, dict[int, Completion]] = {}
    total = len(records) * sampling.samples if hasattr(records, "__len__") else None
    following = 0
    with metrics.progress(total, description, "attempts") as bar:
        for completion in engine.generate(_requests(records, engine, tokenizer, template, waiting), sampling):
            done.setdefault(completion.request, {})[completion.sample] = completion
            while len(done.get(following, ())) == sampling.samples:
                record, group = waiting.pop(following), done.pop(following)
                for sample in sorted(group):
                    yield _judge(record, group[sample], tokenizer, protocol)
                    bar.update()
                following += 1
    if done:
        raise RuntimeError(f"the engine left record {following} without {sampling.samples} completions")


def _requests(records, engine, tokenizer, template, waiting):
    for index, record in enumerate(records):
        try:
            request = Request(index, prompts.encode(template, record, tokenizer))
            engine.check(request)
        except ValueError as error:
            raise ValueError(f"record {index}, {record.question[:80]!r}: {error}") from None
        waiting[index] = record
        yield request


def _judge(record, completion, tokenizer, protocol):
    text = tokenizer.decode(completion.tokens)
    return Attempt(record=record, completion=completion, text=text, verdict=verify(record, text, protocol))
