"""Lines of arithmetic drawn by the block, each a function of one random state.

**Lanes.** Equal questions have equal lanes, so those who draw in different lanes never draw the same question: a
question's lane is its pivot, that is the first few of its numbers taken as one, plus a hash of all the rest, modulo
the number of lanes. To draw in a lane, the rest is drawn first and then one of the pivots that fit. Numbers that may
be adjusted later, to make a quotient end, take no part in it.
"""

import functools
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from data_gen import chains
from data_gen.chance import STEP, below, choose, draws, mixed, uniform
from mathjax.config import Expressions

OPERATORS = ("add", "subtract", "multiply", "divide", "power")  # names of weights, in the order of chains.SIGNS
FORMATS = ("integer", "decimal", "point", "percent", "fraction")
INTEGER, DECIMAL, POINT, PERCENT, RATIO = range(5)
PLAIN, FACTOR, DIVISOR, EXPONENT, BASE = range(5)  # where a number stands; a factor is the right side of *

_AFTER = np.array([PLAIN, PLAIN, FACTOR, DIVISOR, EXPONENT])  # where a number stands, by the sign before it
_TENS = 10 ** np.arange(19, dtype=np.int64)
_NOWHERE = 31  # the first number in brackets that are not there


class Shape(NamedTuple):
    """What the questions of a run have in common."""

    plan: chains.Plan
    places: list[int]  # where each number stands
    formats: list[int]
    kind: int
    ten: int  # 10 to the number of decimals a quotient may have beyond its dividend


class Numbers(NamedTuple):
    """The numbers of B questions before their values are drawn: arrays [n + 1, B]."""

    formats: np.ndarray
    decimals: np.ndarray  # how many digits are after the point
    digits: np.ndarray  # and before it; of a fraction, those of its longer side
    negative: np.ndarray
    places: np.ndarray
    lows: np.ndarray  # the least whole part
    sizes: np.ndarray  # how many values there are


def shapes(part: Expressions, n: int, states: np.ndarray, *, steps: bool, division: str) -> list[Shape | None]:
    """The shape of a question of `n` operations for each state, uint64 [R]: None where one has no use for it."""
    draw = iter(draws(states, 2 * n + 7))
    signs = np.array([choose(next(draw), [getattr(part, name) for name in OPERATORS]) for _ in range(n)])
    inner, outer = _brackets(part.brackets, n, [next(draw) for _ in range(5)])
    places = _places(signs, inner, outer)
    formats = np.array([choose(next(draw), [getattr(part, name) for name in FORMATS]) for _ in places])
    formats = np.where(places == EXPONENT, INTEGER, formats)
    kinds = _kinds(signs, formats, division).tolist()
    tens = _TENS[below(next(draw), part.quotient_places + 1)].tolist()
    plans = _plans(signs, inner, outer, kinds, steps)
    looks = zip(plans, places.T.tolist(), formats.T.tolist(), kinds, tens, strict=True)
    return [Shape(*look) if look[0] else None for look in looks]


def lines(part: Expressions, shapes: list[Shape], runs: np.ndarray, states, lanes, lane_count: int) -> list[str | None]:
    """A line `question=step=..=answer` for each state, None where what was drawn is of no use.

    `shapes`, all of as many operations; `runs` int64 [B], ascending: which of them each line has; `states` uint64 [B];
    `lanes` uint64 [B]: the lane that each question must have, of `lane_count`. Call it in the context `chains.EXACT`.
    """
    numbers, draw = _numbers(part, shapes, runs, states)
    plans = [shape.plan for shape in shapes]
    free, salts = np.array([plan.free for plan in plans])[runs], np.array([plan.salt for plan in plans], np.uint64)[runs]
    offsets, fits = _offsets(numbers, free, salts, lanes, lane_count, draw)
    values, scales = _values(numbers, offsets)
    bounds, limit = (10 ** part.digits[1], 10 ** part.factor_digits[1]), 10**part.limit
    values, scales, fits = values.tolist(), scales.tolist(), fits.tolist()
    found = []
    ends = np.flatnonzero(np.diff(runs, append=-1)) + 1
    for start, end in zip([0, *ends.tolist()], ends.tolist()):
        shape = shapes[runs[start]]
        columns = [column[start:end] for column in values]
        ...
    return found


def _brackets(share, n, chance):
    """Two pairs of brackets: (first number, last number) each, int64 [B]; the second is around the first or beside it.

    Where there is none, the first number is _NOWHERE and the last -1.
    """
    nowhere = np.full(len(chance[0]), _NOWHERE), np.full(len(chance[0]), -1)
    if n < 2 or not share:
        return nowhere, nowhere
    spans = []
    for length, start in (chance[0:2], chance[2:4]):
        length = 2 + below(length, n - 1)
        start = below(start, n + 2 - length)
        spans.append((start, start + length - 1))
    (a, b), (c, d) = spans
    inside, around = (a <= c) & (d <= b), (c <= a) & (b <= d)
    one, two = uniform(chance[4]) < share, uniform(chance[4]) < share**2
    two &= (inside ^ around) | (b < c) | (d < a)
    swap = two & inside
    inner = np.where(swap, c, a), np.where(swap, d, b)
    outer = np.where(swap, a, c), np.where(swap, b, d)
    return tuple(
        (np.where(there, first, _NOWHERE), np.where(there, last, -1))
        for there, (first, last) in ((one, inner), (two, outer))
    )


def _places(signs, inner, outer):
    """Where each number stands, int64 [n + 1, B]."""
    slots = np.arange(len(signs) + 1)[:, None]
    opened = (slots == inner[0]) | (slots == outer[0])
    closed = (slots == inner[1]) | (slots == outer[1])
    places = np.zeros(opened.shape, np.int64)
    places[1:] = np.where(opened[1:], PLAIN, _AFTER[signs])
    places[:-1] = np.where((signs == chains.POWER) & ~closed[:-1], BASE, places[:-1])
    return places


def _numbers(part, places, chance):
    """How each number looks."""
    formats, decimals = _formats(part, places, chance)
    settings = (part.digits, part.factor_digits, part.divisor_digits, (1, 1), part.base_digits, part.fraction_digits)
    lowest, highest = np.array(settings).T
    rows = np.where(formats == RATIO, len(settings) - 1, places)
    chance = np.array([next(chance) for _ in places])
    negative = ((chance & np.uint64(0xFFFFFFFF)) * 2.0**-32 < part.negative) & (places != EXPONENT)
    digits = np.where(formats == POINT, 0, lowest[rows] + below(chance, (highest - lowest + 1)[rows]))
    may_be_zero = (digits == 1) & ((formats == DECIMAL) | ~negative & ((places == PLAIN) | (places == FACTOR)))
    lows = np.where(may_be_zero | (digits == 0), 0, _TENS[digits - 1])
    sizes = (_TENS[digits] - lows) * np.where(decimals > 0, 9 * _TENS[np.maximum(decimals, 1) - 1], 1)
    if part.fraction:
        counts = np.array([0] + [_ratios(size).shape[1] for size in range(1, part.fraction_digits[1] + 1)])
        sizes = np.where(formats == RATIO, counts[np.minimum(digits, len(counts) - 1)], sizes)
    least, most = part.exponent
    lows = np.where(places == EXPONENT, least, lows)
    sizes = np.where(places == EXPONENT, most - least + 1, sizes)
    return Numbers(formats, decimals, digits, negative, places, lows, sizes)


def _formats(part, places, chance):
    """The format of each number, and its digits after the point."""
    weights = [getattr(part, name) for name in FORMATS]
    if not any(weights[1:]):
        return np.zeros_like(places), np.zeros_like(places)
    formats = np.array([choose(next(chance), weights) for _ in places])
    formats = np.where(places == EXPONENT, INTEGER, formats)
    least, most = part.places
    decimals = np.array([least + below(next(chance), most - least + 1) for _ in places])
    return formats, np.where((formats == DECIMAL) | (formats == POINT), decimals, 0)


@functools.cache
def _ratios(digits):
    """Fractions in lowest terms that are not whole, the longer side of so many digits: int64 [2, N]."""
    a, b = np.meshgrid(np.arange(1, 10**digits), np.arange(2, 10**digits), indexing="ij")
    kept = (np.gcd(a, b) == 1) & (np.maximum(a, b) >= 10 ** (digits - 1))
    return np.array([a[kept], b[kept]])


def _kinds(signs, formats, division):
    """What each question is worked out in, int64 [B]: WHOLE, DECIMAL or FRACTION of chains."""
    fractions = (formats == RATIO).any(0)
    if division == "fraction":
        fractions |= (signs >= chains.DIVIDE).any(0)
    return np.where(fractions, chains.FRACTION, np.where(formats.any(0), chains.DECIMAL, chains.WHOLE))


def _plans(signs, inner, outer, kinds, steps):
    """The plan of each question, None where its shape is not used."""
    code = (5 ** np.arange(len(signs))) @ signs
    brackets = ((inner[0] * 32 + inner[1] + 1) * 32 + outer[0]) * 32 + outer[1] + 1
    shapes = zip(code.tolist(), (brackets * 3 + kinds).tolist(), strict=True)
    return [_plan(len(signs), *shape, steps) for shape in shapes]


@functools.lru_cache(maxsize=1 << 16)
def _plan(n, code, brackets, steps):
    brackets, kind = divmod(brackets, 3)
    a, b, c, d = (brackets // 32**k % 32 for k in (3, 2, 1, 0))
    operators = "".join(chains.SIGNS[code // 5**k % 5] for k in range(n))
    return chains.plan(operators, (a, b - 1) if b else None, (c, d - 1) if d else None, kind, steps)


def _offsets(numbers, free, salts, lanes, lane_count, chance):
    """The value of each number as its place among those it may have, int64 [n + 1, B], and whether the lane is met."""
    slots, sizes = len(numbers.sizes), numbers.sizes.astype(np.uint64)
    offsets = np.array([next(chance) for _ in range(slots)]) % sizes
    free = (free >> np.arange(slots)[:, None]) & 1 == 1
    looks = ((numbers.formats * 16 + numbers.decimals) * 16 + numbers.digits) * 2 + numbers.negative
    values = offsets + numbers.lows.astype(np.uint64) + np.uint64(1)
    pivot, pivots, rest = np.zeros_like(free), np.ones_like(salts), salts
    for k in range(slots):
        pivot[k] = free[k] & (numbers.places[k] != EXPONENT) & (pivots < 64 * lane_count)
        pivots = np.where(pivot[k], pivots * sizes[k], pivots)
        seen = looks[k].astype(np.uint64) + np.where(pivot[k], np.uint64(0), values[k] * np.uint64(STEP))
        rest = np.where(free[k], mixed(rest * np.uint64(3) + seen), rest)
    count = np.uint64(lane_count)
    least = (lanes.astype(np.uint64) + count - rest % count) % count
    fits = least < pivots
    ways = (np.maximum(pivots, least + np.uint64(1)) - least + count - np.uint64(1)) // count
    left = least + next(chance) % ways * count
    for k in range(slots):
        offsets[k] = np.where(pivot[k], left % sizes[k], offsets[k])
        left = np.where(pivot[k], left // sizes[k], left)
    return offsets.astype(np.int64), fits


def _values(numbers, offsets):
    """Numerators and denominators, int64 [n + 1, B]."""
    tail = 9 * _TENS[np.maximum(numbers.decimals, 1) - 1]
    within = offsets % tail
    decimal = (numbers.lows + offsets // tail) * _TENS[numbers.decimals] + within // 9 * 10 + within % 9 + 1
    values = np.where(numbers.decimals > 0, decimal, numbers.lows + offsets)
    scales = _TENS[numbers.decimals + 2 * (numbers.formats == PERCENT)]
    for digits in np.unique(numbers.digits[numbers.formats == RATIO]).tolist():
        those = (numbers.formats == RATIO) & (numbers.digits == digits)
        values[those], scales[those] = _ratios(digits)[:, offsets[those]]
    return np.where(numbers.negative, -values, values), scales


def _lines(part, plans, rows, kinds, tens, values, scales, formats):
    """The line of each row, or None."""
    bounds, limit = (10 ** part.digits[1], 10 ** part.factor_digits[1]), 10**part.limit
    integers = not part.power and not part.quotient_places and not kinds.any()
    if integers:
        scales = formats = np.zeros((1, len(rows)), np.int64)
    looks = (zip(*array.tolist(), strict=True) for array in (values, scales, formats))
    for row, kind, ten, numbers, scale, form in zip(rows.tolist(), kinds.tolist(), tens.tolist(), *looks, strict=True):
        plan = plans[row]
        if kind == chains.WHOLE:
            scale, numbers = None, list(numbers)
        else:
            numbers = [_number(kind, *number) for number in zip(numbers, scale, strict=True)]
        texts = numbers if chains.work(plan, numbers, scale, ten, bounds, limit) else None
        if texts and not integers:
            texts = _texts(plan, numbers, form if kind else (), part.limit)
        yield plan.line % plan.slots(texts) if texts else None


def _number(kind, value, scale):
    if kind == chains.FRACTION:
        return Fraction(value, scale)
    return value if scale == 1 else Decimal(value) / scale


def _texts(plan, numbers, formats, limit):
    """How the numbers of all slots are written; None where one of them is too long."""
    texts = list(map(chains.write, numbers))
    if any(len(text) > limit and sum(map(str.isdigit, text)) > limit for text in texts):
        return None
    for slot, form in enumerate(formats):
        if form == PERCENT:
            texts[slot] = chains.write(numbers[slot] * 100) + "%"
        elif form:
            numerator, denominator = numbers[slot].as_integer_ratio()
            text = chains.write(Decimal(numerator) / denominator) if form != RATIO else texts[slot]
            texts[slot] = text.replace("0.", ".", 1) if form == POINT and abs(numbers[slot]) < 1 else text
    for slot in plan.bases:
        if numbers[slot] < 0 and not texts[slot].startswith("("):
            texts[slot] = f"({texts[slot]})"
    return texts
