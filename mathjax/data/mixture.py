"""Records of many files as batches: weighted, shuffled, packed, and taken up again at any place.

The place is one integer. The records of all sources form an endless stream (`stream`); a window is the longest run of
it that can be packed into WINDOW rows or one batch (`pack`), and the rows of a window, shuffled, are its batches. A
position is (where the window begins in the stream) x (batches in a window) + (which of them): enough to make the batch
and all that follow, on any number of hosts, without a look at what came before.
"""

import dataclasses
import weakref

import grain
import numpy as np
from grain.experimental import ThreadPrefetchIterDataset

from mathjax import config, records
from mathjax.data import batch, cache, encode, pack
from mathjax.data.batch import Batch
from mathjax.data.encode import Encoded
from mathjax.data.stream import Stream, key, shuffled

WINDOW = (1024, 1 << 18)  # rows and places that are packed together, if a batch has fewer: the more, the fuller
AHEAD = 2  # batches made before they are asked for, in a thread


@dataclasses.dataclass(frozen=True)
class Source:
    """One source of a mixture, as tokens, and which of its records are in use."""

    path: str
    digest: str  # of its files
    encoded: Encoded
    kept: np.ndarray | None  # int64: the records that fit into a row; None: all
    dropped: int  # how many records are too long for a row
    tokens: int  # in an epoch: places that its kept records take

    def __len__(self):
        return len(self.encoded) - self.dropped


def mixture(data: config.Data, tokenizer, *, cache_dir=None, process=(0, 1), workers=None) -> "Mixture":
    """The batches of a recipe, from its position 0 on, without end.

    Records are encoded at the first use, large files by `workers` processes (None: one for each core), and found again
    in `cache_dir` if one is given. A host that is number i of n (`process`) gets the rows i/n to (i+1)/n of each batch.
    Raises FileNotFoundError for a missing file, ValueError for a record that cannot be encoded, a source without a
    record that fits, or rows that the hosts cannot share.
    """
    if data.rows % process[1]:
        raise ValueError(f"config.data.rows={data.rows} must be a multiple of the {process[1]} hosts that share them")
    sources = [_source(source.path, data, tokenizer, cache_dir, workers) for source in data.sources]
    return Mixture(data, tuple(sources), tokenizer.pad_id, process)


def _source(path, data, tokenizer, cache_dir, workers):
    digest = records.digest(path)
    encoded = cache.encoded(path, digest, tokenizer, data.template, cache_dir, workers)
    places = np.diff(encoded.offsets) - 1
    fits = (places > 0) & (places <= data.length)
    if not fits.any():
        raise ValueError(
            f"{path}: none of {len(fits)} records fits into {data.length} places, the least has {places.min()}"
        )
    kept = None if fits.all() else np.flatnonzero(fits)
    return Source(path, digest, encoded, kept, int(np.sum(~fits)), int(np.sum(places, where=fits)))


class Mixture(grain.IterDataset[Batch]):
    """Batches without end; `batches(position)` gives them from a position on, `iter` from the first.

    It is a grain dataset, whose iterators have the position as their state.
    """

    def __init__(self, data: config.Data, sources: tuple[Source, ...], pad_id: int, process: tuple[int, int]):
        super().__init__()
        self.data, self.sources, self.pad_id = data, sources, pad_id
        self.stream = Stream([len(source) for source in sources], [s.weight for s in data.sources], data.seed)
        self.per_window = max(1, max(WINDOW[0], WINDOW[1] // data.length) // data.rows)  # batches
        share = data.rows // process[1]
        self.rows = range(process[0] * share, (process[0] + 1) * share)  # of each batch: those of this host
        mean = np.average([source.tokens / len(source) for source in sources], weights=self.stream.counts)
        self.expected = int(self.per_window * data.rows * data.length / mean) + 1  # records in a window

    def __iter__(self) -> grain.DatasetIterator[Batch]:
        return iter(ThreadPrefetchIterDataset(_Unprepared(self), prefetch_buffer_size=AHEAD))

    def batches(self, position: int = 0) -> "Batches":
        """The batches from a position on."""
        return Batches(self, position)

    @property
    def digests(self) -> dict[str, str]:
        """The digest of the files of each source, by its path."""
        return {source.path: source.digest for source in self.sources}

    def describe(self, position: int = 0) -> dict:
        """What there is and how far a position is in it, for a log.

        For each source its path, records, those dropped as too long, tokens in an epoch, and epochs given out before
        the window of the position; and for that window the share of places that are filled.
        """
        start = position // self.per_window
        drawn = self.stream.drawn(start)
        rows = self.per_window * self.data.rows
        return {
            "sources": [
                {
                    "path": source.path,
                    "records": len(source.encoded),
                    "dropped": source.dropped,
                    "tokens": source.tokens,
                    "epochs": n / len(source),
                }
                for source, n in zip(self.sources, drawn, strict=True)
            ],
            "fill": float(self.window(start).sizes.sum() / (rows * self.data.length)),
        }

    def window(self, start: int) -> "Window":
        """The window that begins at a place of the stream."""
        data, rows = self.data, self.per_window * self.data.rows
        count = self.expected + self.expected // 8
        while True:
            sources, indices = self.stream.at(start, count)
            places = self._look_up(sources, indices)
            if places[:, 1].sum() > rows * data.length:
                break
            count *= 2
        keys = key(np.full(rows, start), data.seed, len(self.sources))
        packed = pack.pack(places[:, 1], data.length, rows, shuffled(np.arange(rows), rows, keys))
        return Window(start, packed, sources[packed.order], *places[packed.order].T)

    def _look_up(self, sources, indices):
        """Where each record begins in the tokens of its source, its places, and its prompt's: int64 [N, 3]."""
        found = np.empty((len(sources), 3), np.int64)
        for number, source in enumerate(self.sources):
            here = slice(None) if len(self.sources) == 1 else np.flatnonzero(sources == number)
            which = indices[here] if source.kept is None else source.kept[indices[here]]
            begins = source.encoded.offsets[which]
            found[here, 0] = begins
            found[here, 1] = source.encoded.offsets[which + 1] - begins - 1
            found[here, 2] = source.encoded.prompts[which]
        return found

    def batch(self, window: "Window", number: int) -> Batch:
        """This host's rows of a batch of a window."""
        first = number * self.data.rows + self.rows.start
        bounds = window.packed.bounds[first : first + len(self.rows) + 1]
        own = slice(bounds[0], bounds[-1])
        sizes = window.sizes[own]
        begins = np.concatenate([[0], np.cumsum(sizes)])
        filled = np.arange(self.data.length) < np.diff(begins[bounds - bounds[0]])[:, None]
        inside = np.arange(begins[-1]) - np.repeat(begins[:-1], sizes)  # places within their segments
        tokens, targets = self._tokens(
            np.repeat(window.sources[own], sizes), np.repeat(window.begins[own], sizes) + inside
        )
        unweighted = encode.OBJECTIVES[self.data.objective](window.prompts[own])
        out = batch.empty(len(self.rows), self.data.length, self.pad_id)
        out.tokens[filled] = tokens
        out.targets[filled] = targets
        out.weights[filled] = inside >= np.repeat(unweighted, sizes)
        out.segments[filled] = np.repeat(window.packed.segments[own], sizes)
        out.positions[filled] = inside
        return out

    def _tokens(self, sources, places):
        """The tokens at some places of the sources, and those after them."""
        if len(self.sources) == 1:
            tokens = self.sources[0].encoded.tokens
            return tokens[places], tokens[places + 1]
        found = np.empty((2, len(places)), np.int32)
        for number, source in enumerate(self.sources):
            here = np.flatnonzero(sources == number)
            found[0, here] = source.encoded.tokens[places[here]]
            found[1, here] = source.encoded.tokens[places[here] + 1]
        return found

    def __str__(self):
        return f"Mixture({', '.join(self.digests)})"


@dataclasses.dataclass(frozen=True)
class Window:
    """A run of the stream in rows; the arrays are [N], in the order of the rows."""

    start: int  # its first place in the stream
    packed: pack.Rows
    sources: np.ndarray
    begins: np.ndarray  # of each record: its first token in its source
    sizes: np.ndarray  # its places in a row
    prompts: np.ndarray  # the length of its prompt


class Batches:
    """An endless iterator of batches that knows its position: that of the batch it will give next."""

    def __init__(self, mixture: Mixture, position: int):
        iterator = iter(mixture)
        iterator.set_state(position)
        self._held = [iterator]
        self._let_go = weakref.finalize(self, self._held.clear)  # also at exit, where grain's iterators fail to end

    def __iter__(self):
        return self

    def __next__(self) -> Batch:
        return next(self._held[0])

    @property
    def position(self) -> int:
        return self._held[0].get_state()

    def close(self):
        """End the thread that makes batches ahead; it ends too when nothing refers to this any more."""
        self._let_go()


class _Unprepared(grain.IterDataset[Batch]):
    """A mixture whose batches are made when they are asked for."""

    def __init__(self, mixture):
        super().__init__()
        self.mixture = mixture

    def __iter__(self):
        return _Iterator(self.mixture)


class _Iterator(grain.DatasetIterator[Batch]):
    def __init__(self, mixture):
        super().__init__()
        self.mixture, self.position, self.window = mixture, 0, None

    def __next__(self):
        start, number = divmod(self.position, self.mixture.per_window)
        if self.window is None or self.window.start != start:
            self.window = self.mixture.window(start)
        made = self.mixture.batch(self.window, number)
        last = number + 1 == self.mixture.per_window
        self.position = (start + len(self.window.packed)) * self.mixture.per_window if last else self.position + 1
        return made

    def get_state(self):
        return self.position

    def set_state(self, state):
        if type(state) is not int or state < 0:
            raise ValueError(f"a position is a whole number from 0 on, got {state!r}")
        self.position = state
