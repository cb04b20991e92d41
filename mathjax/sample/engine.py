"""Slots and a queue: continuous batching, on the host.

    engine = Engine(model, params, slots=64, length=256, eos_id=tokenizer.eos_id)
    for completion in engine.generate(requests, sampling):
        ...

The samples of a request share one prefill and one copy of its prompt's keys and values. The key of a token comes from
the seed, the request, the sample's number and the position, never from a slot: a completion does not depend on the
other requests, their order, or the number of slots.
"""

import collections
import dataclasses
import functools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from mathjax import config
from mathjax import mesh as meshes
from mathjax.model import decoder
from mathjax.sample import decode, pack, paging
from mathjax.sample.advice import Guide
from mathjax.sample.board import Board, Completion, Piece, Row
from mathjax.sample.programs import Programs
from mathjax.sample.request import Request

__all__ = ["Completion", "Counts", "Engine", "Piece", "Request"]

SPARE = 3  # times as many places for samples as slots: the tail of one group leaves its slots to the next
CHUNK = 32  # pages that a CPU reads at a time: what it makes of them stays in its caches
NARROW = 16  # slots; a CPU goes on with fewer at the end where that pays, but not with fewer than this
COMPILE = 4e10  # floating-point operations that take a CPU about as long as compiling a layer


@dataclass(kw_only=True)
class Counts:
    """What an engine has done since it was made; the rates follow from two readings."""

    prompt_tokens: int = 0  # read, each prompt once
    tokens: int = 0  # of completions, stop tokens included
    withdrawn: int = 0  # chosen, and taken back by a guide
    completions: int = 0
    steps: int = 0  # of one slot each, free slots included

    @property
    def busy(self) -> float:
        """The share of the slots' steps whose token was kept."""
        return self.tokens / max(self.steps, 1)


class Engine:
    """A model compiled for `slots` sequences at a time, each at most `length` tokens with its prompt.

    `eos_id` is the token that ends a completion, or several; `pad_id` fills what is not looked at. `prompt` is the
    length of the longest prompt, where it is known, so that no more room is kept. Products and cache have `dtype`, by
    default that of the params on a CPU and bfloat16 elsewhere. The host looks at the slots every `steps` tokens: the
    more, the less it costs, and the longer a slot that is done stays empty. `mesh` is one device if None.

    `programs` lists what was compiled, with shapes: a few for prefill, and one for decoding with each
    `paging.Shape`, of which a job has one; on a CPU, which is slower the more slots there are, also for three
    quarters of the slots, the half, three eighths and so on, where they are enough at the end of a job and pay. All are
    compiled at first use, or by `compile`.

    ValueError if the params are not of `model`'s shapes or the mesh cannot share the slots evenly.
    """

    def __init__(
        self,
        model: config.Model,
        params: dict,
        mesh: jax.sharding.Mesh | None = None,
        *,
        slots: int,
        length: int,
        eos_id: int | tuple[int, ...],
        pad_id: int = 0,
        prompt: int | None = None,
        dtype=None,
        steps: int = 8,
    ):
        stops = tuple(np.ravel(eos_id).astype(int).tolist())
        _require(slots > 0 and steps > 0, f"slots and steps must be positive, got slots={slots}, steps={steps}")
        _require(length > 1, f"length must leave room for a prompt and a completion, got {length}")
        _require(prompt is None or 0 < prompt < length, f"prompt must lie in [1, length={length}), got {prompt}")
        for name, token in (("pad_id", pad_id), *(("eos_id", stop) for stop in stops)):
            _require(0 <= token < model.vocab_size, f"{name} must lie in [0, {model.vocab_size}), got {token}")
        self.model, self.slots, self.length, self.pad_id = model, slots, length, pad_id
        self.mesh = meshes.make(config.Mesh(), jax.devices()[:1]) if mesh is None else mesh
        self.dtype = jnp.dtype(_own_dtype(self.mesh, params) if dtype is None else dtype)
        self.prompt = length - 1 if prompt is None else prompt
        self.counts = Counts()
        self._stops, self._steps = stops, steps
        self._programs = Programs(model, self.mesh, self.dtype, steps, stops)
        self._parts = self.mesh.shape["data"] * self.mesh.shape["fsdp"]
        _require(
            slots % self._parts == 0,
            f"slots={slots} must be a multiple of the {self._parts} parts that the mesh {dict(self.mesh.shape)} makes",
        )
        self._cpu = self.mesh.devices.flat[0].platform == "cpu"
        self._widths = _widths(slots, self._parts) if self._cpu else [slots]
        self._sizes = pack.shapes(max(self.prompt - 1, 1), 1 if self._cpu else pack.MANY)
        self._wanted = jax.eval_shape(functools.partial(decoder.init, model), jax.random.key(0))
        self._size = sum(leaf.size for leaf in jax.tree.leaves(self._wanted))
        self.update_params(params)

    @property
    def programs(self) -> list[str]:
        """What was compiled so far, with shapes."""
        return list(self._programs.known)

    def compile(self, sampling: config.Sampling):
        """Build all that jobs of this sampling may take, so that nothing is compiled while they run."""
        shape, chance = self.shape(sampling), self._chance(sampling)
        prompts, cache = self._programs.clear(shape)
        for size in self._sizes:
            packed = pack.nothing(size, self.pad_id)
            prompts = self._programs.admit(shape, packed)(self._params, prompts, packed)
        for width in self._widths:
            board = Board(dataclasses.replace(shape, slots=width), self._steps, self._stops, None)
            slots, asked = self._programs.free(board.shape), (board.orders(), board.tables(), chance)
            cache, *_ = self._programs.advance(board.shape)(self._params, prompts, cache, slots, *asked)

    def update_params(self, params: dict):
        """Use other params of the same shapes from the next `generate` on, without compiling anything.

        They are copied: the caller's may be changed or donated afterwards. ValueError if a shape differs.
        """
        found, wanted = _shapes(params), _shapes(self._wanted)
        for path in sorted(found.keys() | wanted.keys()):
            if found.get(path) != wanted.get(path):
                raise ValueError(f"params of {path} have shape {found.get(path)}, the model's are {wanted.get(path)}")
        placed = jax.device_put(params, meshes.place(self.mesh, params))
        self._params = self._programs.copy(placed)

    def check(self, request: Request):
        """ValueError, naming the request, if this engine cannot complete it; `generate` asks this of each."""
        prompt, vocabulary = np.asarray(request.prompt), self.model.vocab_size
        who = f"request {request.id}"
        _require(0 <= request.id < 2**32, f"{who}: the id must lie in [0, 2**32)")
        _require(len(prompt) > 0, f"{who}: the prompt is empty")
        _require(
            len(prompt) < self.length,
            f"{who}: the prompt has {len(prompt)} tokens; with its completion it must fit into {self.length}",
        )
        _require(
            len(prompt) <= self.prompt,
            f"{who}: the prompt has {len(prompt)} tokens; the engine was made for prompts of up to {self.prompt}",
        )
        _require(
            prompt.ndim == 1 and prompt.dtype.kind in "iu",
            f"{who}: the prompt must be a sequence of ids, got {prompt.dtype} of shape {prompt.shape}",
        )
        _require(
            0 <= prompt.min() and prompt.max() < vocabulary,
            f"{who}: ids must lie in [0, {vocabulary}), the prompt has {prompt.min()} to {prompt.max()}",
        )
        _require(
            request.max_tokens is None or request.max_tokens > 0,
            f"{who}: max_tokens must be positive, got {request.max_tokens}",
        )

    def generate(
        self,
        requests: Iterable[Request],
        sampling: config.Sampling,
        guide: Guide | None = None,
        *,
        cancelled: Collection[int] = (),
    ) -> Iterator[Completion]:
        """`sampling.samples` completions of each request, or those it asks for, each as soon as it is there.

        A completion has at most `sampling.max_tokens` tokens, its stop token counted, or fewer where its request asks
        for fewer or the cache ends. `guide` may end completions or force tokens; `sample.guide` builds the one that
        stop strings and the calculator take. Requests are drawn as slots come free, so memory does not grow with
        their number. A bad one (`check`) is drawn but not begun: what was drawn before it is completed and given
        out, then its ValueError is raised. Ids that the caller adds to `cancelled` meanwhile are given up: nothing
        more comes of these requests. Closing the iterator gives up all. Several iterators of one engine may run side
        by side; each has a cache of its own and keeps the params it started with.
        """
        return self._start(requests, sampling, guide, cancelled, pieces=False)

    def stream(
        self,
        requests: Iterable[Request],
        sampling: config.Sampling,
        guide: Guide | None = None,
        *,
        cancelled: Collection[int] = (),
    ) -> Iterator[Piece | Completion]:
        """As `generate`, and the pieces of each completion as they come, all of them before it."""
        return self._start(requests, sampling, guide, cancelled, pieces=True)

    def shape(self, sampling: config.Sampling) -> paging.Shape:
        """The slots and pages that `sampling` takes: a job has one shape, and several jobs few."""
        width = self.slots // self._parts
        members = min(sampling.samples, width)
        rows = min(width, SPARE * -(-width // members))
        each = paging.count(min(sampling.max_tokens, self.length - 1))
        longest = max(paging.count(self.prompt - 1), 1)
        wanted = width * each, rows * longest
        chunks = min(CHUNK, wanted[0]), min(max(CHUNK // 8, min(CHUNK, 8 * CHUNK // members)), wanted[1])
        if not self._cpu:
            chunks = wanted
        numbers = (-(-number // chunk) * chunk for number, chunk in zip(wanted, chunks, strict=True))
        own, prompts = (self._parts * number for number in numbers)
        return paging.Shape(
            slots=self.slots,
            pages=own,
            each=each,
            prompts=prompts,
            longest=longest,
            members=members,
            parts=self._parts,
            chunks=chunks,
        )

    def cache_bytes(self, sampling: config.Sampling) -> dict[str, int]:
        """How many bytes the caches take: of `prompts`, which groups share, and of `slots`."""
        caches = zip(("prompts", "slots"), self._programs.caches(self.shape(sampling)), strict=True)
        return {name: sum(map(_bytes, jax.tree.leaves(cache))) for name, cache in caches}

    def _start(self, requests, sampling, guide, cancelled, pieces):
        config.check(sampling, "sampling")
        _require(
            guide is not None or not (sampling.stop or sampling.calculator),
            f"sampling: stop={sampling.stop} and calculator={sampling.calculator} take a guide, see sample.guide.build",
        )
        return self._run(requests, sampling, guide, cancelled, pieces, self._params)

    def _run(self, requests, sampling, guide, cancelled, pieces, params):
        errors: list[ValueError] = []
        shape, chance = self.shape(sampling), self._chance(sampling)
        rows = self._draw(requests, sampling, cancelled, errors)
        board = Board(shape, self._steps, self._stops, guide)
        prompts, cache = self._programs.clear(shape)
        slots, done = self._programs.free(shape), []
        while True:
            if cancelled:
                board.cancel(cancelled)
            fresh = [(board.places(row), row.request.prompt[:-1]) for row in board.fill(lambda: next(rows, None))]
            self.counts.prompt_tokens += sum(len(ids) + 1 for _, ids in fresh)
            for packed in pack.pack(fresh, self._sizes, self.pad_id):
                prompts = self._programs.admit(shape, packed)(params, prompts, packed)
            if not board.busy.any():
                break
            if (fewer := self._fewer(board)) < board.shape.slots:
                board.narrow(fewer)
                slots = self._programs.free(board.shape)
            asked = board.orders(), board.tables(), chance
            cache, slots, look = self._programs.advance(board.shape)(
                params, prompts, cache, slots, *asked
            )  # returns at once:
            yield from done  # while these are read, the device works
            done = self._read(board, jax.device_get(look), pieces)
        yield from done
        if errors:
            raise errors[0]

    def _fewer(self, board):
        """How many slots to go on with: at the end of a job as few as are needed, if that pays for compiling."""
        slots = board.shape.slots
        if not board.ends:
            return slots

        def work(width):
            known = width == slots or self._programs.knows(dataclasses.replace(board.shape, slots=width))
            return 2 * self._size * width * board.ahead + (0 if known else COMPILE * self.model.layers)

        return min((width for width in self._widths if board.width <= width <= slots), key=work)

    def _read(self, board, look, pieces):
        """What a look brought: completions, and before each what is new of it, if `pieces`."""
        ended, found = board.read(look), []
        if pieces:
            found += [piece for slot in np.flatnonzero(board.busy).tolist() if (piece := board.piece(slot))]
        found += (completions := [board.end(slot, stopped) for slot, stopped in ended])
        self.counts.completions += len(completions)
        self.counts.steps += self._steps * board.shape.slots
        made, withdrawn = board.taken()
        self.counts.tokens += made - withdrawn
        self.counts.withdrawn += withdrawn
        return found

    def _draw(self, requests, sampling, cancelled, errors):
        """Rows for requests; a bad one ends them, and its error is left in `errors`."""
        for request in requests:
            try:
                self.check(request)
            except ValueError as error:
                errors.append(error)
                return
            samples = range(sampling.samples) if request.samples is None else request.samples
            limit = min(sampling.max_tokens, request.max_tokens or sampling.max_tokens)
            if samples and request.id not in cancelled:
                yield Row(request, collections.deque(samples), min(limit, self.length - len(request.prompt)))

    def _chance(self, sampling):
        return decode.Chance(
            seed=np.uint32(sampling.seed),
            temperature=np.float32(sampling.temperature),
            top_k=np.int32(min(sampling.top_k, self.model.vocab_size)),
            top_p=np.float32(sampling.top_p),
            min_p=np.float32(sampling.min_p),
        )


def _own_dtype(mesh, params):
    """bfloat16 on an accelerator, that of the params on a CPU."""
    cpu = mesh.devices.flat[0].platform == "cpu"
    return params["embedding"]["table"].dtype if cpu else jnp.bfloat16


def _widths(slots, parts):
    """`slots`, three quarters of them, the half, and so on, where parts share them evenly; from NARROW on."""
    shares = [slots * share >> shift for shift in range(2, slots.bit_length()) for share in (3, 2)]
    return [slots, *(share for share in shares if share >= NARROW and share % parts == 0)]


def _bytes(leaf):
    return leaf.size * leaf.dtype.itemsize


def _shapes(params):
    leaves = jax.tree_util.tree_flatten_with_path(params)[0]
    return {meshes.path_name(path): tuple(leaf.shape) for path, leaf in leaves}


def _require(holds, message):
    if not holds:
        raise ValueError(message)
