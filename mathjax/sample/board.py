"""What the host knows of rows and slots: whose prompt and whose completion each holds, and what is there of it."""

import collections
import dataclasses
import itertools

import numpy as np

from mathjax.sample import decode
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


@dataclasses.dataclass
class Row:
    """A prompt that is there, and who may still share it."""

    request: Request
    samples: collections.deque  # to be begun
    limit: int  # tokens of a completion
    slots: dict = dataclasses.field(default_factory=dict)  # member: slot


class Board:
    """The slots and rows of a `Shape`, in `parts` equal parts; a slot shares rows of its own part.

    `stops` are the tokens that end a completion; `guide` may step in.
    """

    def __init__(self, shape, parts, stops, guide):
        B = shape.slots
        self.busy = np.zeros(B, bool)
        self.jobs: list = [None] * B  # (row, member, request, sample)
        self.rows: list[Row | None] = [None] * shape.rows
        self.members, self.parts, self.stops, self.guide = shape.members, parts, stops, guide
        self.counts = np.zeros(B, np.int64)
        self.told = np.zeros(B, np.int64)  # how many were given out as pieces
        self.limits = np.zeros(B, np.int64)
        self.tokens = np.zeros((B, shape.suffix), np.int32)
        self.log_probabilities = np.zeros((B, shape.suffix), np.float32)
        self.forced = np.zeros((B, shape.suffix), bool)
        self.made = self.withdrawn = 0  # tokens, since they were asked for
        self._clear()

    def fill(self, draw) -> list[int]:
        """Put samples into the free slots: of rows that have some left, then of a new `Row` from `draw`.

        `draw()` is None where there are no more. Returns the numbers of the rows that are new.
        """
        fresh = []
        for slot in np.flatnonzero(~self.busy).tolist():
            row = self._open(slot)
            if row is None:
                row = self._free(slot)
                drawn = None if row is None else draw()
                if drawn is None:
                    continue
                self.rows[row] = drawn
                fresh.append(row)
            self._begin(slot, row)
        return fresh

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
        _, _, request, sample = self.jobs[slot]
        found = self._cut(slot, 0)
        last = found["tokens"][-1] if found["tokens"] else None
        token = last if last in self.stops and not stopped else None
        kept = slice(len(found["tokens"]) - (token is not None))
        finish = "stop" if stopped or token is not None else "length"
        completion = Completion(
            request=request.id,
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
        _, _, request, sample = self.jobs[slot]
        found = self._cut(slot, int(self.told[slot]))
        if found["tokens"] and found["tokens"][-1] in self.stops:
            found = {name: values[:-1] for name, values in found.items()}
        self.told[slot] += len(found["tokens"])
        return Piece(request=request.id, sample=sample, **found) if found["tokens"] else None

    def release(self, slot: int):
        """Free a slot, and its row where nobody else needs it."""
        self._order(slot, left=0)
        row, member, _, _ = self.jobs[slot]
        self.busy[slot], self.jobs[slot] = False, None
        del self.rows[row].slots[member]
        self._tidy(row)

    def cancel(self, wanted):
        """Forget the requests whose ids are in `wanted`."""
        for row, held in enumerate(self.rows):
            if held is not None and held.request.id in wanted:
                held.samples.clear()
                for slot in list(held.slots.values()):
                    self.release(slot)
                self._tidy(row)

    def _open(self, slot):
        """A row of the slot's part that has samples left and room for one more member."""
        return next((row for row in self._near(slot) if self._has_room(self.rows[row])), None)

    def _free(self, slot):
        return next((row for row in self._near(slot) if self.rows[row] is None), None)

    def _near(self, slot):
        """The rows of the slot's part."""
        width = len(self.rows) // self.parts
        part = slot * self.parts // len(self.busy)
        return range(part * width, (part + 1) * width)

    def _has_room(self, row):
        return row is not None and len(row.samples) > 0 and len(row.slots) < self.members

    def _begin(self, slot, row):
        held = self.rows[row]
        member = next(number for number in itertools.count() if number not in held.slots)
        sample = held.samples.popleft()
        held.slots[member] = slot
        self.busy[slot], self.jobs[slot] = True, (row, member, held.request, sample)
        self.counts[slot] = self.told[slot] = 0
        self.forced[slot] = False
        self.limits[slot] = held.limit
        self._order(slot, left=held.limit)

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
        self._order(slot, left=int(self.limits[slot]) - advice.keep, forced=advice.forced)

    def _order(self, slot, left, forced=()):
        """The slot goes on from the tokens that it has on the board."""
        row, member, request, sample = self.jobs[slot]
        count = int(self.counts[slot])
        width, start = len(self.rows) // self.parts, len(request.prompt) - 1
        given = {
            "tokens": self.tokens[slot, count - 1] if count else request.prompt[-1],
            "positions": start + count,
            "starts": start,
            "left": left,
            "places": row % width * self.members + member,
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
        names = ("tokens", "positions", "starts", "left", "places", "requests", "samples")
        self._orders = {name: np.zeros(B, kinds.get(name, np.int32)) for name in names}
        self._orders["left"][:] = decode.NONE
        self._orders["forced"] = np.full((B, decode.FORCED), decode.NONE, np.int32)

    def _cut(self, slot, start):
        """What a slot has from token `start` on."""
        part = slice(start, int(self.counts[slot]))
        arrays = {"tokens": self.tokens, "log_probabilities": self.log_probabilities, "forced": self.forced}
        return {name: tuple(array[slot, part].tolist()) for name, array in arrays.items()}

    def _tidy(self, row):
        held = self.rows[row]
        if held is not None and not held.samples and not held.slots:
            self.rows[row] = None
