"""Whose page is whose: what the host knows of one kind of pages, and tells the device."""

import dataclasses
import heapq

import numpy as np

from mathjax.model import pages


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shape:
    """What one way to sample takes: slots and pages, in `parts` equal parts."""

    slots: int
    pages: int  # for what follows the prompts
    each: int  # of them at most for a slot
    prompts: int  # pages for prompts
    longest: int  # of them at most for one
    members: int  # slots that may share a prompt
    parts: int
    chunks: tuple[int, int]  # pages that are read at a time, of the slots and of prompts

    def __str__(self):
        return f"{self.slots} slots, {self.pages} pages, {self.prompts} of prompts for {self.members} each"


class Pages:
    """`total` pages of one kind, and the seats that look at them, both counted within their part.

    Each page has up to `members` seats, each seat up to `most` pages. Free pages are taken lowest first, so that those
    in use lie together.
    """

    def __init__(self, shape: Shape, total: int, *, members: int, most: int, chunk: int):
        parts, self.number = shape.parts, total // shape.parts
        self.most, self.chunk = most, chunk
        self.free = [list(range(self.number)) for _ in range(parts)]
        self.firsts = np.zeros((parts, self.number), np.int32)
        self.members = np.zeros((parts, self.number, members), np.int32)
        self.clear(shape.slots // parts)

    def clear(self, seats: int):
        """Let there be so many seats in each part, none of which looks at a page."""
        self.nobody, self.nowhere = seats, self.number * self.members.shape[2]
        self.members[:] = self.nobody
        self.places = np.full((len(self.free), seats, self.most), self.nowhere, np.int32)

    def take(self, part: int, count: int) -> list[int]:
        return [heapq.heappop(self.free[part]) for _ in range(count)]

    def give(self, part: int, taken: list[int]):
        for page in taken:
            heapq.heappush(self.free[part], page)

    def join(self, part: int, seat: int, member: int, taken: list[int], start: int):
        """A seat looks at pages, whose first column is at position `start`."""
        count = len(taken)
        self.members[part, taken, member] = seat
        self.firsts[part, taken] = start + pages.PAGE * np.arange(count)
        self.places[part, seat, :count] = np.array(taken, np.int32) * self.members.shape[2] + member

    def leave(self, part: int, seat: int, member: int, taken: list[int]):
        self.members[part, taken, member] = self.nobody
        self.places[part, seat] = self.nowhere

    def table(self) -> pages.Table:
        used = np.flatnonzero(np.any(self.members != self.nobody, axis=(0, 2)))
        return pages.Table(
            members=self.members.copy(),
            firsts=self.firsts.copy(),
            places=self.places.copy(),
            chunks=np.int32(used[-1] // self.chunk + 1 if len(used) else 0),
            chunk=self.chunk,
        )


def count(tokens: int) -> int:
    """How many pages so many tokens take."""
    return -(-tokens // pages.PAGE)
