"""Texts that end a completion, also across the borders of tokens."""

from collections.abc import Sequence

from mathjax.sample.advice import Advice, holding


class StopStrings:
    """Ends a completion with the token that completes one of `strings`, wherever the borders of its tokens lie.

    The text of the kept tokens has the string in it, perhaps with more of its last token behind; `cut` takes it off.
    """

    def __init__(self, strings: Sequence[str], tokenizer):
        if not all(strings):
            raise ValueError(f"stop strings must not be empty, got {list(strings)}")
        self._strings, self._tokenizer = tuple(strings), tokenizer
        self._last = holding(tokenizer, {string[-1] for string in strings})

    def __call__(self, tokens, forced, since):
        if not self._last[tokens[since:]].any() or not self._in(tokens):
            return None
        low, high = since, len(tokens)  # not in the first `low`, in the first `high`
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._in(tokens[:middle]) else (middle, high)
        return Advice(high, end=True)

    def _in(self, tokens):
        text = self._tokenizer.decode(tokens)
        return any(string in text for string in self._strings)


def cut(text: str, strings: Sequence[str]) -> str:
    """A text up to where the first of `strings` begins in it."""
    return text[: min((place for string in strings if (place := text.find(string)) >= 0), default=len(text))]
