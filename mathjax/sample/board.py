"""What the host knows of slots: whose completion each holds, what is there of it, and in which pages."""

import collections
import dataclasses
import itertools

import numpy as np

from mathjax.model.pages import PAGE
from mathjax.sample import decode, paging
from mathjax.sample.request import Request


@dataclasses.dataclass(frozen=True, kw_only=True)
class Completion:
    """What came back: ids and why they end there.

    `finish` is "stop" if a stop token was chosen or a guide ended it, and "length" if there was no room for more. The
    stop token is not one of `tokens`; it is `stop`, with a log-probability of its own, and None after anything else.
    Log-probabilities are those of the model at temperature 1, of all tokens: log_softmax of its logits; also of the
    tokens that were not drawn but `forced` by a guide.
    """

    request: int
    sample: int
    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]  # as many as tokens
    finish: str
    forced: tuple[bool, ...]  # as many as tokens
    stop: int | None = None
    stop_log_probability: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Piece:
    """Tokens of a completion under way, which follow those of the piece before it and will not be taken back."""

    request: int
    sample: int
    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    forced: tuple[bool, ...]


@dataclasses.dataclass(eq=False)
class Row:
    """A prompt that is there, and who may still share it."""

    request: Request
    samples: collections.deque  # to be begun
    limit: int  # tokens of a completion
    part: int = 0
    pages: list = dataclasses.field(default_factory=list)
    slots: dict = dataclasses.field(default_factory=dict)  # member: slot


class Board:
    """The slots and pages of a `Shape`; a slot shares prompts of its own part, `steps` tokens come with each look.

    `stops` are the tokens that end a completion; `guide` may step in.
    """

    def __init__(self, shape: paging.Shape, steps: int, stops, guide):
        B, columns = shape.slots, shape.each * PAGE
        self.busy = np.zeros(B, bool)
        self.jobs: list = [None] * B  # (row, member, sample)
        self.rows: list[list[Row]] = [[] for _ in range(shape.parts)]
        self.shape, self.steps, self.stops, self.guide = shape, steps, stops, guide
        self.counts = np.zeros(B, np.int64)
        self.told = np.zeros(B, np.int64)  # how many were given out as pieces
        self.limits = np.zeros(B, np.int64)
        self.tokens = np.zeros((B, columns), np.int32)
        self.log_probabilities = np.zeros((B, columns), np.float32)
        self.forced = np.zeros((B, columns), bool)
        self.pending: list = [(0, ())] * B  # tokens that are forced, and how many tokens there were before them
        self.pages: list[list[int]] = [[] for _ in range(B)]  # of what follows the prompt
        self.made = self.withdrawn = 0  # tokens, since they were asked for
        self.waiting = True  # for all that we know
        self.own = paging.Pages(shape, shape.pages, members=1, most=shape.each, chunk=shape.chunks[0])
        self.prompts = paging.Pages(
            shape, shape.prompts, members=shape.members, most=shape.longest, chunk=shape.chunks[1]
        )
        self._clear()

    def fill(self, draw) -> list[Row]:
        """Put samples into the free slots: of rows that have some left, then of a new `Row` from `draw`.

        `draw()` is None where there are no more. Returns the rows that are new.
        """
        fresh = []
        for slot in np.flatnonzero(~self.busy).tolist():
            row = self._open(slot)
            if row is None and self._room(slot):
                row = draw()
                self.waiting = row is not None
                if row is None:
                    continue
                row.part = self._seat(slot)[0]
                row.pages = self.prompts.take(row.part, paging.count(len(row.request.prompt) - 1))
                self.rows[row.part].append(row)
                fresh.append(row)
            if row is not None:
                self._begin(slot, row)
        return fresh

    def places(self, row: Row) -> np.ndarray:
        """The pages of a row's prompt, counted through all parts."""
        return row.part * self.prompts.number + np.array(row.pages, np.int32)

    def tables(self):
        """Whose pages are whose, with room in each slot's own for the tokens of the next look."""
        for slot in np.flatnonzero(self.busy).tolist():
            lacking = paging.count(min(self.counts[slot] + self.steps, self.limits[slot])) - len(self.pages[slot])
            if lacking > 0:
                self.pages[slot] += self.own.take(self._seat(slot)[0], lacking)
                self._seat_down(slot)
        return self.own.table(), self.prompts.table()

    @property
    def ends(self) -> bool:
        """Whether nothing is left to be begun."""
        return not self.waiting and not any(row.samples for rows in self.rows for row in rows)

    @property
    def width(self) -> int:
        """The fewest slots, in equal parts, that all that are busy fit into."""
        parts = np.split(self.busy, self.shape.parts)
        return len(parts) * max(int(part.sum()) for part in parts)

    @property
    def ahead(self) -> int:
        """The most tokens that any slot has still to make."""
        return int(np.max((self.limits - self.counts)[self.busy], initial=0))

    def narrow(self, slots: int):
        """Go on with so many slots, which all that are busy fit into."""
        parts = np.split(np.arange(len(self.busy)), self.shape.parts)
        kept = [sorted(part, key=lambda slot: (not self.busy[slot], slot))[: slots // len(parts)] for part in parts]
        kept = np.concatenate(kept)
        self.shape = dataclasses.replace(self.shape, slots=slots)
        for name in ("busy", "counts", "told", "limits", "tokens", "log_probabilities", "forced"):
            setattr(self, name, getattr(self, name)[kept])
        for name in ("jobs", "pending", "pages"):
            setattr(self, name, [getattr(self, name)[slot] for slot in kept])
        self.own.clear(slots // len(parts))
        self.prompts.clear(slots // len(parts))
        self._clear()
        for slot in np.flatnonzero(self.busy).tolist():
            row, member, _ = self.jobs[slot]
            row.slots[member] = slot
            self._seat_down(slot)
            self._order(slot, left=self.limits[slot] - self.counts[slot])

    def orders(self) -> decode.Orders:
        """What was ordered since the last time."""
        given = decode.Orders(**self._orders)
        self._clear()
        return given

    def read(self, look) -> list[tuple[int, bool]]:
        """Take in what a look chose. Gives the slots that are done, to be ended, and whether a guide stopped them."""
        made, before = np.where(self.busy, look.made, 0), self.counts.copy()
        step, slot = np.nonzero(np.arange(len(look.tokens))[:, None] < made[None])
        self.tokens[slot, self.counts[slot] + step] = look.tokens[step, slot]
        self.log_probabilities[slot, self.counts[slot] + step] = look.log_probabilities[step, slot]
        self.counts += made
        self.made += int(made.sum())
        ended = self.busy & (look.left == 0)
        if self.guide is None:
            return [(slot, False) for slot in np.flatnonzero(ended).tolist()]
        done = []
        for slot in np.flatnonzero(self.busy).tolist():
            advice = self._ask(slot, int(before[slot]))
            if advice is not None:
                self.withdrawn += int(self.counts[slot]) - advice.keep
                self.counts[slot] = advice.keep
            if advice is not None and advice.end:
                done.append((slot, True))
            elif advice is not None and advice.keep < self.limits[slot]:
                self._force(slot, advice)
            elif ended[slot]:
                done.append((slot, False))
        return done

    def taken(self) -> tuple[int, int]:
        """How many tokens were chosen, and how many of them taken back, since this was asked the last time."""
        found, self.made, self.withdrawn = (self.made, self.withdrawn), 0, 0
        return found

    def end(self, slot: int, stopped: bool) -> Completion:
        """The completion of a slot that is done; the slot is free, and its row where nobody else needs it."""
        row, _, sample = self.jobs[slot]
        found = self._cut(slot, 0)
        last = found["tokens"][-1] if found["tokens"] else None
        token = last if last in self.stops and not stopped else None
        kept = slice(len(found["tokens"]) - (token is not None))
        finish = "stop" if stopped or token is not None else "length"
        completion = Completion(
            request=row.request.id,
            sample=sample,
            finish=finish,
            stop=token,
            stop_log_probability=None if token is None else found["log_probabilities"][-1],
            **{name: values[kept] for name, values in found.items()},
        )
        self.release(slot)
        return completion

    def piece(self, slot: int) -> Piece | None:
        """What the slot has that was not given out before, without a stop token."""
        row, _, sample = self.jobs[slot]
        found = self._cut(slot, int(self.told[slot]))
        if found["tokens"] and found["tokens"][-1] in self.stops:
            found = {name: values[:-1] for name, values in found.items()}
        self.told[slot] += len(found["tokens"])
        return Piece(request=row.request.id, sample=sample, **found) if found["tokens"] else None

    def release(self, slot: int):
        """Free a slot with its pages, and its row where nobody else needs it."""
        self._order(slot, left=0)
        row, member, _ = self.jobs[slot]
        part, seat = self._seat(slot)
        self.own.leave(part, seat, 0, self.pages[slot])
        self.own.give(part, self.pages[slot])
        self.prompts.leave(part, seat, member, row.pages)
        self.busy[slot], self.jobs[slot], self.pages[slot] = False, None, []
        del row.slots[member]
        self._tidy(row)

    def cancel(self, wanted):
        """Forget the requests whose ids are in `wanted`."""
        for row in [row for rows in self.rows for row in rows if row.request.id in wanted]:
            row.samples.clear()
            for slot in list(row.slots.values()):
                self.release(slot)
            self._tidy(row)

    def _seat(self, slot):
        """(part, seat) of a slot."""
        return divmod(slot, len(self.busy) // self.shape.parts)

    def _open(self, slot):
        """A row of the slot's part that has samples left and room for one more member."""
        rows = self.rows[self._seat(slot)[0]]
        return next((row for row in rows if row.samples and len(row.slots) < self.shape.members), None)

    def _room(self, slot):
        """Whether there are pages for a prompt of any length in the slot's part."""
        return len(self.prompts.free[self._seat(slot)[0]]) >= self.shape.longest

    def _begin(self, slot, row):
        member = next(number for number in itertools.count() if number not in row.slots)
        sample = row.samples.popleft()
        row.slots[member] = slot
        self.busy[slot], self.jobs[slot] = True, (row, member, sample)
        self.counts[slot] = self.told[slot] = 0
        self.forced[slot], self.pending[slot] = False, (0, ())
        self.limits[slot] = row.limit
        self._seat_down(slot)
        self._order(slot, left=row.limit)

    def _seat_down(self, slot):
        """Tell whose pages the slot looks at."""
        row, member, _ = self.jobs[slot]
        self.own.join(*self._seat(slot), 0, self.pages[slot], len(row.request.prompt) - 1)
        self.prompts.join(*self._seat(slot), member, row.pages, 0)

    def _ask(self, slot, since):
        count = int(self.counts[slot])
        if count and self.tokens[slot, count - 1] in self.stops:
            count -= 1
        return self.guide(self.tokens[slot, :count], self.forced[slot, :count], min(since, count))

    def _force(self, slot, advice):
        if len(advice.forced) > decode.FORCED:
            raise ValueError(f"at most {decode.FORCED} tokens are forced at a time, got {len(advice.forced)}")
        self.forced[slot, advice.keep :] = False
        self.forced[slot, advice.keep : advice.keep + len(advice.forced)] = True
        self.pending[slot] = advice.keep, advice.forced
        self._order(slot, left=int(self.limits[slot]) - advice.keep)

    def _order(self, slot, left):
        """The slot goes on from the tokens that it has on the board."""
        row, _, sample = self.jobs[slot]
        request, count = row.request, int(self.counts[slot])
        start, (since, forced) = len(request.prompt) - 1, self.pending[slot]
        forced = forced[count - since :]
        given = {
            "tokens": self.tokens[slot, count - 1] if count else request.prompt[-1],
            "positions": start + count,
            "starts": start,
            "left": left,
            "requests": request.id,
            "samples": sample,
        }
        for name, value in given.items():
            self._orders[name][slot] = value
        self._orders["forced"][slot] = decode.NONE
        self._orders["forced"][slot, : len(forced)] = forced

    def _clear(self):
        B = len(self.busy)
        kinds = {"requests": np.uint32, "samples": np.uint32}
        names = ("tokens", "positions", "starts", "left", "requests", "samples")
        self._orders = {name: np.zeros(B, kinds.get(name, np.int32)) for name in names}
        self._orders["left"][:] = decode.NONE
        self._orders["forced"] = np.full((B, decode.FORCED), decode.NONE, np.int32)

    def _cut(self, slot, start):
        """What a slot has from token `start` on."""
        part = slice(start, int(self.counts[slot]))
        arrays = {"tokens": self.tokens, "log_probabilities": self.log_probabilities, "forced": self.forced}
        return {name: tuple(array[slot, part].tolist()) for name, array in arrays.items()}

    def _tidy(self, row):
        if not row.samples and not row.slots and row in self.rows[row.part]:
            self.rows[row.part].remove(row)
            self.prompts.give(row.part, row.pages)
