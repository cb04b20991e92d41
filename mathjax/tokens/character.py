"""The character tokenizer of MathGLM."""

import functools
import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mathjax.tokens import saved

ALPHABET = "0123456789+-*/^()[].%=e"  # of MathGLM's arithmetic


@dataclass(frozen=True)
class CharacterTokenizer:
    """One token for each digit and symbol (MathGLM; "Each digit and each symbol is its own token").

    Ids: 0 padding, 1 the end of a text, then the characters of `alphabet` in their order. Nothing is added, merged
    or left out: `decode(encode(text)) == text`.
    """

    alphabet: str = ALPHABET

    pad_id = 0
    eos_id = 1
    stop_ids = (1,)
    start_ids = ()

    def __post_init__(self):
        if not self.alphabet or len(set(self.alphabet)) != len(self.alphabet):
            raise ValueError(f"an alphabet needs characters, each of them once, got {self.alphabet!r}")

    @property
    def vocab_size(self) -> int:
        return 2 + len(self.alphabet)

    def with_special(self, tokens):
        """The same tokenizer: ValueError if it should gain a token, as its ids stand for characters."""
        if tokens:
            raise ValueError(f"the character tokenizer takes no special tokens, got {', '.join(tokens)}")
        return self

    def encode(self, text: str) -> list[int]:
        """The ids of a text, one for each character; ValueError names an unknown character and its place."""
        return self.encode_many([text])[0].tolist()

    def encode_many(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """All ids in one array, and where each text begins: uint16 or uint32 [sum], int64 [len(texts) + 1].

        ValueError names an unknown character, its place, and its text.
        """
        offsets = np.fromiter(itertools.accumulate(map(len, texts), initial=0), np.int64, len(texts) + 1)
        points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        ids = self._table[np.minimum(points, len(self._table) - 1)]
        if len(ids) and not ids.min():
            at = int(np.argmin(ids))
            which = int(np.searchsorted(offsets, at, side="right")) - 1
            self._refuse(texts[which], at - int(offsets[which]))
        return ids, offsets

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids, in which padding and end stand for nothing; ValueError for an id that is none."""
        pieces = ("", "", *self.alphabet)
        ids = [int(i) for i in ids]
        for place, i in enumerate(ids):
            if not 0 <= i < len(pieces):
                raise ValueError(f"id {i} at place {place} (from 0) is not below vocab_size={self.vocab_size}")
        return "".join(pieces[i] for i in ids)

    @classmethod
    def from_files(cls, texts: dict[str, str]) -> "CharacterTokenizer":
        """The tokenizer that `to_files` describes."""
        return cls(json.loads(texts[saved.FILE])["alphabet"])

    def to_files(self) -> dict[str, str]:
        """What `save` writes: names of files and their texts."""
        return {saved.FILE: json.dumps({"kind": "character", "alphabet": self.alphabet}) + "\n"}

    def save(self, folder):
        """Write the tokenizer's files into a folder; `load` gives back an equal one."""
        saved.write(folder, self.to_files())

    @property
    def digest(self) -> str:
        """Names the tokenizer by its content: equal for two that give the same ids."""
        return saved.digest(self.to_files())

    @functools.cached_property
    def _table(self) -> np.ndarray:
        """The id of each code point, 0 for those that have none; the last entry stands for all beyond it."""
        points = np.array([ord(character) for character in self.alphabet])
        table = np.zeros(points.max() + 2, np.uint16 if self.vocab_size <= 2**16 else np.uint32)
        table[points] = np.arange(2, self.vocab_size)
        return table

    def _refuse(self, text, place):
        start = max(place - 20, 0)
        shown = "..." * (start > 0) + text[start : place + 20] + "..." * (len(text) > place + 20)
        raise ValueError(
            f"unknown character {text[place]!r} at place {place} (from 0) of {shown!r}; the alphabet is {self.alphabet}"
        )
