"""Texts that are alike in their words: the same, the same but for numbers, or with runs of 13 words in common."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

WORDS = 13  # of a run that two texts share
KINDS = ("exact", "masked", "half", "ngram")  # from the closest to the weakest

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"[0-9]+")


class Known:
    """Texts that others are held against, by their numbers from 0.

    Words are runs of letters and digits in lower case. `exact`: the same words; `masked`: the same but for the digits;
    `half`: half of the known text's runs of 13 words or more are among the other's; `ngram`: one is (a shorter text
    counts as one run, as in the decontamination of GPT-3, arXiv 2005.14165, appendix C).
    """

    def __init__(self, texts: Iterable[str]):
        self._exact, self._masked, self._by_run, self._runs = {}, {}, {}, []
        for number, text in enumerate(texts):
            said = words(text)
            self._exact.setdefault(" ".join(said), []).append(number)
            self._masked.setdefault(_numberless(said), []).append(number)
            self._runs.append(runs(said))
            for run in self._runs[-1]:
                self._by_run.setdefault(run, []).append(number)

    def found(self, text: str) -> Iterator[tuple[int, str]]:
        """(number, kind) of each known text that overlaps with this one, by number, each with its closest kind."""
        said = words(text)
        shared = Counter(number for run in runs(said) for number in self._by_run.get(run, ()))
        same = set(self._exact.get(" ".join(said), ()))
        alike = set(self._masked.get(_numberless(said), ())) - same
        for number in sorted(same | alike | shared.keys()):
            if number in same:
                yield number, "exact"
            elif number in alike:
                yield number, "masked"
            else:
                yield number, "half" if 2 * shared[number] >= len(self._runs[number]) else "ngram"


def words(text: str) -> list[str]:
    """Its runs of letters and digits, in lower case."""
    return _WORD.findall(text.lower())


def runs(said: list[str], length: int = WORDS) -> set[str]:
    """The distinct runs of so many words; of a shorter text the whole, of none nothing."""
    return {" ".join(said[i : i + length]) for i in range(max(1, len(said) - length + 1))} if said else set()


def _numberless(said):
    return _NUMBER.sub("0", " ".join(said))
