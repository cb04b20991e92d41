"""Random numbers that are functions of what they are for: one example or a million give the same, in any order."""

import hashlib

import numpy as np

STEP = 0x9E3779B97F4A7C15

_MIX, _MIX_AGAIN = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def key(*parts) -> np.uint64:
    """A number for a seed and names, far from those of others."""
    return np.uint64(int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "little"))


def states(key: np.uint64, numbers: np.ndarray) -> np.ndarray:
    """uint64 [B]: for each of `numbers`, uint64 [B], a state to draw from."""
    return mixed(mixed(numbers + key) + key)


def draws(states: np.ndarray, count: int) -> np.ndarray:
    """uint64 [count, B]: the first numbers of the stream that each state begins (splitmix64)."""
    return mixed(states[None, :] + (np.arange(1, count + 1, dtype=np.uint64) * np.uint64(STEP))[:, None])


def mixed(numbers: np.ndarray) -> np.ndarray:
    """Numbers uint64 shuffled one to one, far apart where they were near (the last step of splitmix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _MIX
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _MIX_AGAIN
    return numbers ^ (numbers >> np.uint64(31))


def below(draws: np.ndarray, bound) -> np.ndarray:
    """int64 in [0, bound), from the upper half of each draw; `bound` is a number or an array, at most 2**31."""
    return ((draws >> np.uint64(32)) * np.asarray(bound, np.uint64) >> np.uint64(32)).astype(np.int64)


def uniform(draws: np.ndarray) -> np.ndarray:
    """float64 in [0, 1)."""
    return (draws >> np.uint64(11)) * 2.0**-53


def choose(draws: np.ndarray, weights) -> np.ndarray:
    """Indices of `weights`, each as often as its weight says."""
    steps = np.cumsum(np.asarray(weights, np.float64))
    chosen = np.zeros(draws.shape, np.int64)
    for step in steps[:-1] / steps[-1]:
        chosen += uniform(draws) >= step
    return chosen
