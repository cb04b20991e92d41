"""Records as tokens: the ids of prompt, solution and end, and which of them count."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from mathjax import prompts
from mathjax.records import Record

VERSION = 2  # of what is encoded; part of the name under which it is kept

OBJECTIVES = {  # given the length of the prompt (or many lengths): how many targets come before the first that counts
    "all": lambda prompt: 0 * prompt,  # every token of the text (MathGLM)
    "solution": lambda prompt: np.maximum(prompt - 1, 0),  # the solution and its end (instruction data)
}


@dataclasses.dataclass(frozen=True)
class Encoded:
    """The ids of many records, laid end to end; record i has `tokens[offsets[i] : offsets[i + 1]]`."""

    tokens: np.ndarray  # uint16 or uint32 [sum]
    offsets: np.ndarray  # int64 [N + 1]
    prompts: np.ndarray  # int32 [N]: how many of its ids are the prompt's

    def __len__(self):
        return len(self.prompts)


def example(record: Record, tokenizer, template: str, objective: str) -> tuple[list[int], np.ndarray]:
    """The ids of a record, L of them, and the weights of its targets: float32 [L-1], each 0 or 1.

    ids = prompt + solution + [end], the two encoded apart: the prompt has the ids that it has when a solution is
    sampled. ValueError for a record without a solution, or with characters that the tokenizer lacks.
    """
    _, solution = prompts.pair(template, record, tokenizer)
    prompt = prompts.encode(template, record, tokenizer)
    ids = [*prompt, *tokenizer.encode(solution), tokenizer.eos_id]
    return ids, (np.arange(len(ids) - 1) >= OBJECTIVES[objective](len(prompt))).astype(np.float32)


def many(records: Sequence[Record], tokenizer, template: str, where: Callable[[int], str] = str) -> Encoded:
    """All records at once, with the ids that `example` gives each; ValueError says `where(i)` record i cannot be."""
    texts = []
    for i, record in enumerate(records):
        try:
            texts += prompts.pair(template, record, tokenizer)
        except ValueError as error:
            raise ValueError(f"{where(i)}: {error}") from None
    try:
        ids, offsets = tokenizer.encode_many(texts)
    except ValueError:
        for i, record in enumerate(records):
            _refuse(record, tokenizer, template, where(i))
        raise
    start = prompts.start_ids(template, tokenizer)
    places = np.repeat(np.stack([offsets[:-1:2], offsets[2::2]], axis=1), [len(start), 1], axis=1)  # [N, start + end]
    ids = np.insert(ids, places.ravel(), np.tile([*start, tokenizer.eos_id], len(records)))
    begins = offsets[::2] + (len(start) + 1) * np.arange(len(records) + 1)
    return Encoded(ids, begins, (np.diff(offsets)[::2] + len(start)).astype(np.int32))


def _refuse(record, tokenizer, template, where):
    """Raise what `example` raises, if it does, saying where."""
    try:
        example(record, tokenizer, template, "all")
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
