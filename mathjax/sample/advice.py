"""Who may step in while a completion is written, and what they may ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Advice:
    """Of the tokens so far, the first `keep` stay. With `end` the completion ends there; else `forced` follow."""

    keep: int
    forced: tuple[int, ...] = ()
    end: bool = False


class Guide(Protocol):
    """Asked after each look at a completion.

    `tokens` are its ids so far, without a stop token, and `forced` says which of them were forced; it was asked
    before when there were `since` of them, and let them be. A guide may be asked after every token or after many: what
    it answers must be the same as if it had been asked after each, so of several reasons to step in the first counts.
    """

    def __call__(self, tokens: Sequence[int], forced: Sequence[bool], since: int) -> Advice | None: ...


def holding(tokenizer, characters) -> np.ndarray:
    """Whether the text of each token may have one of `characters` in it, or a part of one: bool [V]."""
    found = np.zeros(tokenizer.vocab_size, bool)
    for token in range(tokenizer.vocab_size):
        text = tokenizer.decode([token, token])  # some leave out a space that begins a text
        found[token] = "\ufffd" in text or not characters.isdisjoint(text)
    return found
