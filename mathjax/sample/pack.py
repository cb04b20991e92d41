"""Prompts packed into rows for prefill: many short ones in a row, by the visibility rule, as in training.

Of GSM8K's questions in waves of 4, 16 and 64, 87 to 98% of the tokens that are worked through are prompts; padded to
32, 64, 128 ... tokens each, in batches of 4 and 32, they were 35 to 60%.
"""

from collections.abc import Sequence

import numpy as np

from mathjax.model.attention import EMPTY
from mathjax.model.pages import PAGE
from mathjax.sample import decode

TOKENS = 512  # of a row, unless a prompt is longer
MANY = 8  # rows at a time, where there are so many


def shapes(longest: int, many: int = MANY) -> list[tuple[int, int]]:
    """The (rows, tokens) that prompts of up to `longest` tokens are packed into: few, for each is a program."""
    plain = min(TOKENS, _padded(longest))
    some = [(1, plain // 4), (1, plain // 2), (1, plain), *([(many, plain)] if many > 1 else [])]
    while plain < longest:
        plain = min(2 * plain, _padded(longest))
        some.append((1, plain))
    return some


def pack(prompts: Sequence[tuple[Sequence[int], Sequence[int]]], sizes: Sequence[tuple[int, int]], pad_id: int):
    """`decode.Pack`s of (pages, ids) pairs, each in one of the `sizes`; nothing is cut.

    The ids of a pair fill its pages one after the other. A prompt goes into the first row that has room for it, the
    longest first; one without tokens, nowhere.
    """
    plain = max(size[1] for size in sizes if size[1] <= TOKENS)
    bins: list[list] = []
    room: list[int] = []
    for where, ids in sorted(prompts, key=lambda prompt: -len(prompt[1])):
        if not len(ids):
            break
        place = next((number for number, left in enumerate(room) if left >= len(ids)), None)
        if place is None:
            bins.append([])
            room.append(max(plain, len(ids)))
            place = len(bins) - 1
        bins[place].append((where, ids))
        room[place] -= len(ids)
    for group, size in _grouped(bins, sizes):
        yield _pack(group, size, pad_id)


def nothing(size: tuple[int, int], pad_id: int) -> decode.Pack:
    """A pack without prompts."""
    return _pack([], size, pad_id)


def _grouped(bins, sizes):
    """Bins, the fullest first, as many at a time as there is a size for, and the smallest size that holds them."""
    while bins:
        needed = sum(len(ids) for _, ids in bins[0])
        fitting = [size for size in sizes if size[0] <= len(bins) and size[1] >= needed]
        size = max(fitting, key=lambda size: (size[0], -size[1]))
        yield bins[: size[0]], size
        bins = bins[size[0] :]


def _pack(bins, shape, pad_id):
    tokens, positions = np.full(shape, pad_id, np.int32), np.full(shape, EMPTY, np.int32)
    segments, pages = np.zeros(shape, np.int32), np.full(shape, decode.NONE, np.int32)
    for line, prompts in enumerate(bins):
        start = 0
        for number, (where, ids) in enumerate(prompts, start=1):
            part, places = (line, slice(start, start + len(ids))), np.arange(len(ids))
            tokens[part], positions[part] = ids, places
            segments[part], pages[part] = number, np.asarray(where)[places // PAGE]
            start += len(ids)
    return decode.Pack(tokens=tokens, positions=positions, segments=segments, pages=pages)


def _padded(count):
    """A multiple of 64 that has room for `count`, at least 64."""
    return max(64, -(-count // 64) * 64)
