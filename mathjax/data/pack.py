"""Examples laid into rows: as many as fit, none cut, none left out."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rows:
    """Where the first N examples of a stream lie, in the order of the rows and, within a row, of the stream."""

    order: np.ndarray  # int64 [N]: which example
    begins: np.ndarray  # int64 [N]: its first place in its row
    segments: np.ndarray  # int64 [N]: 1, 2, .. within its row
    bounds: np.ndarray  # int64 [rows + 1]: row r holds order[bounds[r] : bounds[r + 1]]


def longest(sizes: np.ndarray, length: int, rows: int) -> int:
    """How many of the first examples fit into `rows` rows of `length` places: the length of a run to pack.

    `sizes` are places, each from 1 to `length`. The run is as long as the room allows, less what best-fit decreasing
    then leaves over; so the rows are full but for about one short example each, however long the stream is.
    """
    ends = np.cumsum(sizes)
    count = int(np.searchsorted(ends, rows * length, side="right"))
    while left := _best_fit(np.bincount(sizes[:count]), length, rows)[1]:
        count = int(np.searchsorted(ends, ends[count - 1] - left, side="right"))
    return count


def pack(sizes: np.ndarray, length: int, rows: int, shuffle: np.ndarray) -> Rows:
    """Lay examples of some sizes into rows by best-fit decreasing; row r of the packing becomes row shuffle[r].

    ValueError if they do not fit.
    """
    runs, left = _best_fit(np.bincount(sizes), length, rows)
    if left:
        raise ValueError(f"{len(sizes)} examples of {sizes.sum()} places do not fit into {rows} rows of {length}")
    first, count, each = np.array(runs, np.int64).reshape(-1, 3).T
    total = count * each
    number = np.arange(len(sizes)) - np.repeat(np.cumsum(total) - total, total)
    row = np.empty(len(sizes), np.int64)
    row[np.argsort(-sizes, kind="stable")] = shuffle[np.repeat(first, total) + number // np.repeat(each, total)]
    order = np.argsort(row, kind="stable")
    bounds = np.searchsorted(row[order], np.arange(rows + 1))
    before = np.concatenate([[0], np.cumsum(sizes[order])])
    held = np.diff(bounds)
    return Rows(
        order=order,
        begins=before[:-1] - np.repeat(before[bounds[:-1]], held),
        segments=np.arange(len(sizes)) - np.repeat(bounds[:-1], held) + 1,
        bounds=bounds,
    )


def _best_fit(counts, length, rows):
    """Best-fit decreasing for `counts[s]` examples of each size s: (runs, places of those that found no row).

    A run (first row, how many rows, how many examples in each) is for the next examples in the order of decreasing
    size. Rows that have had the same are handled as one, so the work is by sizes and not by examples.
    """
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
            runs.append((first, taken, each))
            waiting -= taken * each
            for remaining, begin, end in ((room - each * size, first, first + taken), (room, first + taken, stop)):
                if remaining and begin < end:
                    alike[remaining].append((begin, end))
                    rooms |= 1 << remaining
    return runs, left
