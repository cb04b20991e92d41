"""The calculator of GSM8K's annotations: where a solution writes `<<48/2=`, the exact `24>>` is written for it."""

import re
from collections.abc import Sequence

from mathjax import expression
from mathjax.sample.advice import Advice, holding

LONGEST_EXPRESSION = 200  # characters
LONGEST_VALUE = 30  # characters; what is longer, the model may write as it likes
_OPEN = re.compile(r"<<([^<>=\n]*)=")
_THOUSANDS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])")


class Calculator:
    """A guide that forces the value of an annotation as soon as its `=` is there, and `>>` after it.

    Where the `=` is merged with characters that follow it, its token is forced again without these. An expression that
    has no value, or none that a decimal of `LONGEST_VALUE` characters writes exactly, is left to the model; so is one
    whose annotation the tokenizer cannot write, or not in one piece with what is there.
    """

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        self._equals = holding(tokenizer, {"="})

    def __call__(self, tokens: Sequence[int], forced: Sequence[bool], since: int) -> Advice | None:
        if not self._equals[tokens[since:]].any():
            return None
        ids = [int(token) for token in tokens]
        text = self._tokenizer.decode(ids)
        for found in _OPEN.finditer(text):
            value = annotation_value(found[1])
            keep = self._tokens_before(ids, found.end())
            if value is None or keep < len(ids) and forced[keep]:  # then it was closed before
                continue
            there = self._tokenizer.decode(ids[:keep])
            rest = text[len(there) : found.end()] + value + ">>"
            if (following := self._continuation(ids[:keep], there, found.start(), rest)) is not None:
                return Advice(keep, following)
        return None

    def _tokens_before(self, ids, place):
        """How many tokens make no more than the first `place` characters of the text."""
        low, high = 0, len(ids)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if len(self._tokenizer.decode(ids[:middle])) <= place else (low, middle - 1)
        return low

    def _continuation(self, kept, there, begin, text):
        """Ids that add `text` to what `kept` says, as the tokenizer writes it after the open annotation; or None."""
        for before in dict.fromkeys((there[begin:], "")):
            try:
                context, whole = self._tokenizer.encode(before), self._tokenizer.encode(before + text)
            except ValueError:
                continue  # a character that it does not have
            ids = whole[len(context) :]
            if whole[: len(context)] == context and self._tokenizer.decode(kept + ids) == there + text:
                return tuple(ids)
        return None


def annotation_value(text: str) -> str | None:
    """The value of an annotation's left side, as GSM8K writes it; None where it cannot be worked out.

    Exact, without an exponent, a sign of plus, or zeros at the end: 24, 0.5, -3. Commas may group thousands.
    """
    plain = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), text)
    try:
        value = expression.decimal(expression.value(plain, budget=LONGEST_EXPRESSION))
    except ValueError:  # no expression, or no decimal
        return None
    return value if len(value) <= LONGEST_VALUE else None
