"""Examples laid into rows: as many as fit, none cut, none left out."""

import functools
from dataclasses import dataclass

import numpy as np

GOOD = 0.99  # the share of filled places with which the quick way of packing is good enough
TRIES = 4  # of the better way


@dataclass(frozen=True)
class Rows:
    """Where the first N examples of a stream lie, row by row, and within a row in the order of the stream."""

    order: np.ndarray  # int64 [N]: which example
    segments: np.ndarray  # int64 [N]: 1, 2, .. within its row
    bounds: np.ndarray  # int64 [rows + 1]: row r holds order[bounds[r] : bounds[r + 1]]

    def __len__(self):
        return len(self.order)


def pack(sizes: np.ndarray, length: int, rows: int, shuffle: np.ndarray) -> Rows:
    """The longest run of examples, from the first on, that can be packed into `rows` rows of `length` places.

    `sizes` are places, each from 1 to `length`, more of them than fit. Best-fit decreasing is tried first, and a
    slower way where that leaves more than a hundredth of the places empty. Row r of the packing becomes shuffle[r], so
    that any part of the rows is as good a sample as another.
    """
    ends = np.cumsum(sizes)
    count, runs = _longest(_best_fit, sizes, ends, length, rows)
    if ends[count - 1] < GOOD * rows * length:
        better = functools.partial(_fullest, hardness={})
        count, runs = max((count, runs), _longest(better, sizes, ends, length, rows), key=lambda found: found[0])
    return _laid_out(sizes[:count], runs, rows, shuffle)


def _longest(packing, sizes, ends, length, rows):
    """(count, runs): as many examples as there is room for, less as many as a way of packing leaves over."""
    count = int(np.searchsorted(ends, rows * length, side="right"))
    while True:
        runs, left = packing(np.bincount(sizes[:count]), length, rows)
        if not left:
            return count, runs
        count = max(1, int(np.searchsorted(ends, ends[count - 1] - left, side="right")))


def _laid_out(sizes, runs, rows, shuffle):
    runs = np.array(sorted(runs, key=lambda run: -run[0]), np.int64)  # in the order of decreasing size
    first, each = runs[:, 1], runs[:, 3]
    total = runs[:, 2] * each
    number = np.arange(len(sizes)) - np.repeat(np.cumsum(total) - total, total)
    row = np.empty(len(sizes), np.int64)
    row[np.argsort(-sizes, kind="stable")] = shuffle[np.repeat(first, total) + number // np.repeat(each, total)]
    order = np.argsort(row, kind="stable")
    bounds = np.searchsorted(row[order], np.arange(rows + 1))
    segments = np.arange(len(sizes)) - np.repeat(bounds[:-1], np.diff(bounds)) + 1
    return Rows(order, segments, bounds)


# A way of packing is given how many examples there are of each size, and gives back runs and the places of those
# examples that found no row. A run (size, first row, how many rows, how many in each) is for the next examples of its
# size. Rows that hold the same are handled as one, so the work is by sizes and not by examples.


def _best_fit(counts, length, rows):
    """Best-fit decreasing: the largest example left goes where it leaves the least room."""
    runs, left, used = [], 0, 0
    alike = [[] for _ in range(length + 1)]  # by the room that is left in them: ranges of rows
    rooms = 0  # bit r: is there a row with room r?
    for size in np.flatnonzero(counts)[::-1].tolist():
        waiting = int(counts[size])
        while waiting:
            fitting = rooms >> size
            if fitting:
                room = size + (fitting & -fitting).bit_length() - 1
                first, stop = alike[room].pop()
                if not alike[room]:
                    rooms ^= 1 << room
            elif used < rows:
                room, first, stop = length, used, min(rows, used + -(-waiting // (length // size)))
                used = stop
            else:
                left += waiting * size
                break
            each = min(room // size, waiting)
            taken = min(stop - first, waiting // each)
            runs.append((size, first, taken, each))
            waiting -= taken * each
            for remaining, begin, end in ((room - each * size, first, first + taken), (room, first + taken, stop)):
                if remaining and begin < end:
                    alike[remaining].append((begin, end))
                    rooms |= 1 << remaining
    return runs, left


def _fullest(counts, length, rows, hardness):
    """Rows filled as well as can be, one by one, begun with the sizes that are the hardest to place.

    Which those are is found by trying, the largest first: sizes that were left over, or lay in rows with room left,
    come earlier the next time ("squeaky wheel" optimization, Joslin and Clements 1999). `hardness` keeps what was
    found, in whole numbers, so that it comes out the same everywhere.
    """
    counts = {size: int(counts[size]) for size in np.flatnonzero(counts)[::-1].tolist()}
    best = None
    for _ in range(TRIES):
        leads = sorted(counts, key=lambda size: hardness.setdefault(size, size << 20), reverse=True)
        runs, blame, left = _filled(dict(counts), length, rows, leads)
        if best is None or left < best[1]:
            best = runs, left
        if not left:
            break
        for size, share in blame.items():
            hardness[size] += (length * share << 20) // sum(blame.values())
    return best


def _filled(counts, length, rows, leads):
    """(runs, blame by size, places left over) when rows are begun with the first of `leads` that is left."""
    runs, used, blame = [], 0, dict.fromkeys(counts, 0)
    for lead in leads:
        while lead in counts and used < rows:
            content = _fill(counts, lead, length)
            times = min(rows - used, *(counts[size] // each for size, each in content.items()))
            room = length - sum(size * each for size, each in content.items())
            for size, each in content.items():
                runs.append((size, used, times, each))
                blame[size] += 64 * room * times * each // sum(content.values())
                counts[size] -= times * each
                if not counts[size]:
                    del counts[size]
            used += times
    for size, count in counts.items():
        blame[size] += 64 * size * count
    return runs, blame, sum(size * count for size, count in counts.items())


def _fill(counts, lead, length):
    """{size: how many} for one row: one of size `lead`, and others that leave no room, or as little as can be.

    Sums of sizes are bits of an integer. Sizes are taken in, the largest first, until the room is one of the sums;
    then they are given back, each used as little as those before it allow.
    """
    room = length - lead
    sums, steps = 1, []
    for size, count in counts.items():
        most = min(count - (size == lead), room // size)
        if most:
            steps.append((size, sums))
        double = 1
        while most:
            now = min(double, most)
            sums |= sums << (now * size)
            most, double = most - now, 2 * double
        sums &= (2 << room) - 1
        if sums >> room:
            break
    rest, content = sums.bit_length() - 1, {lead: 1}
    for size, before in reversed(steps):
        while not before >> rest & 1:
            rest -= size
            content[size] = content.get(size, 0) + 1
    return content
