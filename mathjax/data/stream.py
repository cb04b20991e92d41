"""Which record comes at which place of an endless stream, as arithmetic on the place.

Every source is shuffled anew in each epoch, and the sources follow each other in the proportion of their weights. A
place is worked out by itself, thousands at a time, in integers that are the same on every machine and in every version
of NumPy. (grain's own shuffle and mix ask Python for one element at a time, 34 us each: too slow for records of
twenty tokens.)
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

LONGEST = 1 << 16  # of the pattern of sources
FEW = 1 << 16  # below it, more rounds: small permutations need them to be equally likely
GOLDEN, MIX_1, MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # of splitmix64
WORD = (1 << 64) - 1


class Stream:
    """Sources of some sizes, drawn from by weight: `at` says what comes where.

    Each source gives all its records once, in an order of its own, before the next epoch gives them in another order.
    The sources follow a pattern that repeats after at most 65,536 places and has the weights as exactly as it can:
    exactly, if they are (like 3 and 1, or 0.25 and 0.75) fractions of such a denominator.
    """

    def __init__(self, sizes: Sequence[int], weights: Sequence[float], seed: int):
        self.sizes, self.seed = tuple(sizes), seed
        self.counts = shares(weights)
        self.pattern = interleaved(self.counts)  # [P]: which source
        ranks = np.empty(len(self.pattern), np.int64)
        for source, count in enumerate(self.counts):
            ranks[self.pattern == source] = np.arange(count)
        self.ranks = ranks  # [P]: how many of this source come before in the pattern

    def at(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """What comes at places start, .., start + count - 1: the sources, and the records in them; int64 [count]."""
        turn, place = np.divmod(np.arange(start, start + count, dtype=np.int64), len(self.pattern))
        sources, ranks = self.pattern[place], self.ranks[place]
        indices = np.empty(count, np.int64)
        for source, (share, size) in enumerate(zip(self.counts, self.sizes, strict=True)):
            here = sources == source
            epoch, drawn = np.divmod(turn[here] * share + ranks[here], size)
            indices[here] = shuffled(drawn, size, key(epoch, self.seed, source))
        return sources, indices

    def drawn(self, place: int) -> list[int]:
        """How many records of each source come before a place."""
        turns, rest = divmod(place, len(self.pattern))
        return [turns * n + int(np.sum(self.pattern[:rest] == i)) for i, n in enumerate(self.counts)]


def shares(weights: Sequence[float]) -> list[int]:
    """The weights as whole numbers, at least 1 each and at most LONGEST together; exact where that can be."""
    exact = [Fraction(str(weight)) for weight in weights]
    scale = math.lcm(*(weight.denominator for weight in exact))
    counts = [int(weight * scale) for weight in exact]
    divisor = math.gcd(*counts)
    counts = [count // divisor for count in counts]
    if sum(counts) <= LONGEST:
        return counts
    ideal = [Fraction(count * LONGEST, sum(counts)) for count in counts]
    rounded = [max(int(share), 1) for share in ideal]
    behind = sorted(range(len(counts)), key=lambda i: rounded[i] - ideal[i])  # those that lost most come first
    for i in behind[: max(LONGEST - sum(rounded), 0)]:
        rounded[i] += 1
    rounded[rounded.index(max(rounded))] -= max(sum(rounded) - LONGEST, 0)
    return rounded


def interleaved(counts: Sequence[int]) -> np.ndarray:
    """Source i `counts[i]` times, as evenly as the others let it: int64 [sum]."""
    sources = np.repeat(np.arange(len(counts)), counts)
    turns = np.concatenate([(2 * np.arange(count, dtype=np.int64) + 1) * (1 << 45) // count for count in counts])
    return sources[np.lexsort((sources, turns))]


def key(epoch: np.ndarray, *numbers: int) -> np.ndarray:
    """A key for each epoch, of the numbers it belongs to: uint64."""
    start = 0
    for number in numbers:
        start = int(mixed(np.array([(start + GOLDEN * (number + 1)) & WORD], np.uint64))[0])
    return mixed(epoch.astype(np.uint64) * np.uint64(GOLDEN) + np.array([start], np.uint64))


def mixed(x: np.ndarray) -> np.ndarray:
    """The finalizer of splitmix64 (Steele, Lea and Flood 2014): uint64 to uint64, one to one."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(MIX_1)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(MIX_2)
    return x ^ (x >> np.uint64(31))


def shuffled(indices: np.ndarray, size: int, keys: np.ndarray) -> np.ndarray:
    """Where each index below `size` goes in the permutation that its key names; int64, shaped like `indices`.

    A Feistel network on pairs of digits, walked again from a value that is not below `size` (Black and Rogaway 2002).
    """
    high = math.isqrt(size - 1) + 1
    low = -(-size // high)
    out = indices.astype(np.int64)
    waiting = np.arange(len(out))
    while len(waiting):
        out[waiting] = _feistel(out[waiting], high, low, keys[waiting], 4 if size >= FEW else 12)
        waiting = waiting[out[waiting] >= size]
    return out


def _feistel(values, high, low, keys, rounds):
    left = values // low
    right = values - left * low
    for number in range(rounds):
        keys = keys + np.uint64(GOLDEN)
        if number % 2:
            right = _turned(right, low, left, keys)
        else:
            left = _turned(left, high, right, keys)
    return left * low + right


def _turned(digits, base, others, keys):
    """digits + f(others, keys), modulo the base."""
    hashes = mixed(others.astype(np.uint64) ^ keys) >> np.uint64(32)
    turned = digits + ((hashes * np.uint64(base)) >> np.uint64(32)).astype(np.int64)
    turned[turned >= base] -= base
    return turned
