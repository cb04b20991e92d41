"""Slots and a queue: continuous batching, on the host.

    engine = Engine(model, params, slots=64, length=256, eos_id=tokenizer.eos_id)
    for completion in engine.generate(requests, sampling):
        ...

The samples of a request share one prefill and one copy of its prompt's keys and values. The key of a token comes from
the seed, the request, the sample's number and the position, never from a slot: a completion does not depend on the
other requests, their order, or the number of slots.
"""

import collections
import functools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from mathjax import config
from mathjax import mesh as meshes
from mathjax.model import decoder
from mathjax.sample import decode, pack
from mathjax.sample.advice import Guide
from mathjax.sample.board import Board, Completion, Piece, Row
from mathjax.sample.request import Request

__all__ = ["Completion", "Counts", "Engine", "Piece", "Request", "Shape"]

ROUND = 32  # columns of the slots' caches are a multiple of this, so that few sizes are compiled
SPARE = 3  # times as many places in rows as slots: the tail of one group leaves its slots to the next


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


@dataclass(frozen=True)
class Shape:
    """What the caches of one way to sample look like: slots of `suffix` columns, rows of `prompt` columns."""

    slots: int
    suffix: int
    rows: int
    members: int  # slots that may share a row
    prompt: int


class Engine:
    """A model compiled for `slots` sequences at a time, each at most `length` tokens with its prompt.

    `eos_id` is the token that ends a completion, or several; `pad_id` fills what is not looked at. `prompt` is the
    length of the longest prompt, where it is known, so that no more room is kept. Products and cache have `dtype`, by
    default that of the params on a CPU and bfloat16 elsewhere. The host looks at the slots every `steps` tokens: the
    more, the less it costs, and the longer a slot that is done stays empty. `mesh` is one device if None.

    `programs` lists what was compiled, with shapes: one program for decoding with each `Shape`, of which a job has
    one, and a few for prefill, compiled at first use.

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
        self.programs: dict[str, object] = {}
        self._stops, self._steps = stops, steps
        self._parts = self.mesh.shape["data"] * self.mesh.shape["fsdp"]
        _require(
            slots % self._parts == 0,
            f"slots={slots} must be a multiple of the {self._parts} parts that the mesh {dict(self.mesh.shape)} makes",
        )
        cpu = self.mesh.devices.flat[0].platform == "cpu"
        self._sizes = pack.shapes(max(self.prompt - 1, 1), 1 if cpu else pack.MANY)
        self._wanted = jax.eval_shape(functools.partial(decoder.init, model), jax.random.key(0))
        self.update_params(params)

    def update_params(self, params: dict):
        """Use other params of the same shapes from the next `generate` on, without compiling anything.

        They are copied: the caller's may be changed or donated afterwards. ValueError if a shape differs.
        """
        found, wanted = _shapes(params), _shapes(self._wanted)
        for path in sorted(found.keys() | wanted.keys()):
            if found.get(path) != wanted.get(path):
                raise ValueError(f"params of {path} have shape {found.get(path)}, the model's are {wanted.get(path)}")
        placed = jax.device_put(params, meshes.place(self.mesh, params))
        own = functools.partial(_own, dtype=self.dtype)
        shardings = meshes.place(self.mesh, jax.eval_shape(own, self._wanted))
        self._params = self._program("copy params", own, shardings)(placed)

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

    def shape(self, sampling: config.Sampling) -> Shape:
        """The shape of the caches that `sampling` takes: a job has one, and several jobs few."""
        width = self.slots // self._parts
        members = min(sampling.samples, width)
        rows = min(width, SPARE * -(-width // members))
        suffix = min(-(-sampling.max_tokens // ROUND) * ROUND, self.length - 1)
        return Shape(self.slots, suffix, rows * self._parts, members, max(self.prompt - 1, 1))

    def cache_bytes(self, sampling: config.Sampling) -> dict[str, int]:
        """How many bytes the caches take: of `prompts`, which groups share, and of `slots`."""
        prompts, slots = self._caches(self.shape(sampling))
        caches = {"prompts": prompts, "slots": slots.cache}
        return {name: sum(map(_bytes, jax.tree.leaves(cache))) for name, cache in caches.items()}

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
        board = Board(shape, self._parts, self._stops, guide)
        prompts, slots = self._empty(shape)
        advance, done = self._advance(shape), []
        while True:
            if cancelled:
                board.cancel(cancelled)
            fresh = [(row, board.rows[row].request.prompt[:-1]) for row in board.fill(lambda: next(rows, None))]
            self.counts.prompt_tokens += sum(len(ids) + 1 for _, ids in fresh)
            for packed in pack.pack(fresh, shape.rows, self._sizes, self.pad_id):
                prompts = self._admit(shape, packed)(params, prompts, packed)
            if not board.busy.any():
                break
            slots, look = advance(params, prompts, slots, board.orders(), chance)  # returns at once: the device works
            yield from done  # while these are read
            done = self._read(board, jax.device_get(look), pieces)
        yield from done
        if errors:
            raise errors[0]

    def _read(self, board, look, pieces):
        """What a look brought: completions, and before each what is new of it, if `pieces`."""
        ended, found = board.read(look), []
        if pieces:
            found += [piece for slot in np.flatnonzero(board.busy).tolist() if (piece := board.piece(slot))]
        found += (completions := [board.end(slot, stopped) for slot, stopped in ended])
        self.counts.completions += len(completions)
        self.counts.steps += self._steps * self.slots
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

    def _make(self, shape):
        """Rows without prompts, and free slots."""
        prompts = decoder.empty_cache(self.model, shape.rows, shape.prompt, self.dtype)
        return prompts, decode.empty(self.model, shape.slots, shape.suffix, self.dtype)

    def _caches(self, shape):
        """What `_make` makes, as shapes."""
        return jax.eval_shape(functools.partial(self._make, shape))

    def _empty(self, shape):
        make = functools.partial(self._make, shape)
        return self._program(f"clear {shape}", make, decode.place(self.mesh, self._caches(shape)))()

    def _admit(self, shape, packed):
        W, T = packed.tokens.shape
        admit = functools.partial(decode.admit, self.model, dtype=self.dtype)
        shardings = decode.place(self.mesh, self._caches(shape)[0])
        name = f"prefill {W} x {T} tokens into {shape.rows} rows of {shape.prompt}"
        return self._program(name, admit, shardings, donate_argnums=1)

    def _advance(self, shape):
        advance = functools.partial(
            decode.advance,
            self.model,
            steps=self._steps,
            stops=self._stops,
            parts=self._parts,
            members=shape.members,
            dtype=self.dtype,
        )
        shardings = decode.place(self.mesh, self._caches(shape)[1]), meshes.replicated(self.mesh)
        return self._program(f"decode {self._steps} steps of {shape}", advance, shardings, donate_argnums=2)

    def _program(self, name, function, shardings, **settings):
        if name not in self.programs:
            self.programs[name] = jax.jit(function, out_shardings=shardings, **settings)
        compiled = self.programs[name]

        def run(*arguments):
            with jax.set_mesh(self.mesh):
                return compiled(*arguments)

        return run


def _own(params, dtype):
    """A copy with a list of layers; all in `dtype` but the scales of norms, which work in float32."""

    def copy(path, leaf):
        keep = meshes.path_name(path).endswith("scale")
        return jnp.array(leaf, leaf.dtype if keep else dtype, copy=True)

    return jax.tree_util.tree_map_with_path(copy, decoder.unstack(params))


def _own_dtype(mesh, params):
    """bfloat16 on an accelerator, that of the params on a CPU."""
    cpu = mesh.devices.flat[0].platform == "cpu"
    return params["embedding"]["table"].dtype if cpu else jnp.bfloat16


def _bytes(leaf):
    return leaf.size * leaf.dtype.itemsize


def _shapes(params):
    leaves = jax.tree_util.tree_flatten_with_path(params)[0]
    return {meshes.path_name(path): tuple(leaf.shape) for path, leaf in leaves}


def _require(holds, message):
    if not holds:
        raise ValueError(message)
