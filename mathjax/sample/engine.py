"""Slots and a queue: continuous batching, on the host.

    engine = Engine(model, params, slots=64, length=256, eos_id=tokenizer.eos_id)
    for completion in engine.generate(requests, sampling):
        ...

The key of a token comes from the seed, the request, the sample's number and the position, never from a slot: a
completion does not depend on the other requests, their order, or the number of slots.
"""

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from mathjax import config
from mathjax import mesh as meshes
from mathjax.model import decoder
from mathjax.sample import decode

SHORTEST = 32  # tokens of the smallest prefill; the others are 2, 4, 8, ... times as long
MANY, FEW = 32, 4  # rows of a prefill
PREFILL_TOKENS = 4096  # the most tokens of a prefill of several rows


@dataclass(frozen=True)
class Request:
    """A prompt to be completed. `id`, an integer from 0 below 2**32, names it and gives it its chance."""

    id: int
    prompt: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Completion:
    """What came back: ids and why they end there.

    `finish` is "stop" if one of the engine's stop tokens was chosen, and "length" if there was no room for more.
    The stop token is not one of `tokens`; it is `stop`, with a log-probability of its own, and None after "length".
    Log-probabilities are those of the model at temperature 1, of all tokens: log_softmax of its logits.
    """

    request: int
    sample: int
    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]  # as many as tokens
    finish: str
    stop: int | None = None
    stop_log_probability: float | None = None


@dataclass(kw_only=True)
class Counts:
    """What an engine has done since it was made; the rates follow from two readings."""

    prompt_tokens: int = 0
    tokens: int = 0  # chosen, stop tokens included
    completions: int = 0
    steps: int = 0  # of one slot each, free slots included

    @property
    def busy(self) -> float:
        """The share of the slots' steps that chose a token."""
        return self.tokens / max(self.steps, 1)


class Engine:
    """A model compiled for `slots` sequences at a time, each at most `length` tokens with its prompt.

    `eos_id` is the token that ends a completion, or several; `pad_id` fills what is not looked at. Products and
    cache have `dtype`, by default that of the params. The host looks at the slots every `steps` tokens: the more,
    the less it costs, and the longer a slot that is done stays empty. `mesh` is one device if None. There is one
    program for decoding and two for each length of prefill, 32, 64, 128 ... up to `length`, compiled at first use.

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
        dtype=None,
        steps: int = 8,
    ):
        stops = tuple(np.ravel(eos_id).astype(int).tolist())
        _require(slots > 0 and steps > 0, f"slots and steps must be positive, got slots={slots}, steps={steps}")
        _require(length > 1, f"length must leave room for a prompt and a completion, got {length}")
        for name, token in (("pad_id", pad_id), *(("eos_id", stop) for stop in stops)):
            _require(0 <= token < model.vocab_size, f"{name} must lie in [0, {model.vocab_size}), got {token}")
        self.model, self.slots, self.length, self.pad_id = model, slots, length, pad_id
        self.mesh = meshes.make(config.Mesh(), jax.devices()[:1]) if mesh is None else mesh
        self.dtype = jnp.dtype(params["embedding"]["table"].dtype if dtype is None else dtype)
        self.counts = Counts()
        self._stops, self._steps = stops, steps
        self._compile()
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
        self._params = self._own(placed)

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
            prompt.ndim == 1 and prompt.dtype.kind in "iu",
            f"{who}: the prompt must be a sequence of ids, got {prompt.dtype} of shape {prompt.shape}",
        )
        _require(
            0 <= prompt.min() and prompt.max() < vocabulary,
            f"{who}: ids must lie in [0, {vocabulary}), the prompt has {prompt.min()} to {prompt.max()}",
        )

    def generate(self, requests: Iterable[Request], sampling: config.Sampling) -> Iterator[Completion]:
        """`sampling.samples` completions of each request, each as soon as it is there.

        A completion has at most `sampling.max_tokens` tokens, its stop token counted, or fewer where the cache ends.
        Requests are drawn as slots come free, so memory does not grow with their number. A bad one (`check`) is
        drawn but not begun: what was drawn before it is completed and given out, then its ValueError is raised.
        Several iterators of one engine may run side by side; each has a cache of its own and keeps the params it
        started with.
        """
        config.check(sampling, "sampling")
        _require(0 <= sampling.seed < 2**32, f"sampling: seed must lie in [0, 2**32), got {sampling.seed}")
        return self._run(requests, sampling, self._params)

    def _run(self, requests, sampling, params):
        errors: list[ValueError] = []
        jobs = self._jobs(requests, sampling.samples, errors)
        board, slots, done = _Board(self.slots, self.length), self._empty(), []
        while True:
            for wave in self._waves(board.begin(jobs), sampling):
                slots = self._admit(params, slots, wave)
            if not board.busy.any():
                break
            slots, look = self._advance(params, slots)  # returns at once: the device works while `done` is read
            yield from done
            look = jax.device_get(look)
            done = board.read(look, self._stops)
            self._count(look, done)
        yield from done
        if errors:
            raise errors[0]

    def _compile(self):
        model, dtype = self.model, self.dtype
        empty = functools.partial(decode.empty, model, self.slots, self.length, dtype)
        admit = functools.partial(decode.admit, model, dtype=dtype)
        advance = functools.partial(decode.advance, model, steps=self._steps, stops=self._stops, dtype=dtype)
        own = functools.partial(_own, dtype=dtype)
        self._wanted = jax.eval_shape(functools.partial(decoder.init, model), jax.random.key(0))
        slots = decode.place(self.mesh, jax.eval_shape(empty))
        params = meshes.place(self.mesh, jax.eval_shape(own, self._wanted))
        self._empty = self._program(empty, slots)
        self._admit = self._program(admit, slots, donate_argnums=1)
        self._advance = self._program(advance, (slots, meshes.replicated(self.mesh)), donate_argnums=1)
        self._own = self._program(own, params)

    def _program(self, function, shardings, **settings):
        compiled = jax.jit(function, out_shardings=shardings, **settings)

        def run(*arguments):
            with jax.set_mesh(self.mesh):
                return compiled(*arguments)

        return run

    def _jobs(self, requests, samples, errors):
        """(request, sample) pairs; a bad request ends them, and its error is left in `errors`."""
        for request in requests:
            try:
                self.check(request)
            except ValueError as error:
                errors.append(error)
                return
            yield from zip(itertools.repeat(request), range(samples), strict=False)

    def _waves(self, begun, sampling):
        """The waves that bring jobs into slots: prompts of a like length together, a few at a time."""
        by_length: dict[int, list] = {}
        for slot, (request, sample) in begun:
            self.counts.prompt_tokens += len(request.prompt)
            by_length.setdefault(self._padded(len(request.prompt) - 1), []).append((slot, request, sample))
        for T, members in sorted(by_length.items()):
            many = min(MANY, self.slots, max(1, PREFILL_TOKENS // T))
            few = min(FEW, many)
            while members:
                R = many if 4 * len(members) >= 3 * many else few
                yield self._wave(members[:R], R, T, sampling)
                members = members[R:]

    def _wave(self, members, R, T, sampling):
        prompts = np.full((R, T), self.pad_id, np.int32)
        rows = [(self.slots, self.pad_id, 0, 0, 0, 0)] * R  # no such slot
        for row, (slot, request, sample) in enumerate(members):
            *before, last = request.prompt
            prompts[row, : len(before)] = before
            room = self.length - len(request.prompt)
            rows[row] = slot, last, len(before), min(sampling.max_tokens, room), request.id, sample
        slots, tokens, positions, left = np.array(rows)[:, :4].astype(np.int32).T
        requests, samples = np.array(rows)[:, 4:].astype(np.uint32).T
        return decode.Wave(
            slots=slots,
            prompts=prompts,
            tokens=tokens,
            positions=positions,
            left=left,
            seed=np.full(R, sampling.seed, np.uint32),
            request=requests,
            sample=samples,
            temperature=np.full(R, sampling.temperature, np.float32),
            top_k=np.full(R, min(sampling.top_k, self.model.vocab_size), np.int32),
            top_p=np.full(R, sampling.top_p, np.float32),
        )

    def _padded(self, count):
        """The length of the prefill for `count` tokens: a function of the prompt alone."""
        T = SHORTEST
        while T < count:
            T *= 2
        return min(T, self.length)

    def _count(self, look, done):
        self.counts.tokens += int(look.made.sum())
        self.counts.completions += len(done)
        self.counts.steps += self._steps * self.slots


class _Board:
    """What the host knows of the slots: whose completion each holds, and what of it is there."""

    def __init__(self, slots, length):
        self.busy = np.zeros(slots, bool)
        self.jobs = [None] * slots
        self.counts = np.zeros(slots, np.int64)
        self.tokens = np.zeros((slots, length), np.int32)
        self.log_probabilities = np.zeros((slots, length), np.float32)

    def begin(self, jobs):
        """(slot, job) for each free slot, as long as there are jobs."""
        for slot, job in zip(np.flatnonzero(~self.busy).tolist(), jobs, strict=False):
            self.busy[slot], self.jobs[slot], self.counts[slot] = True, job, 0
            yield slot, job

    def read(self, look, stops):
        """The completions that ended in a look, in the order of their slots."""
        step, slot = np.nonzero(np.arange(len(look.tokens))[:, None] < look.made[None])
        self.tokens[slot, self.counts[slot] + step] = look.tokens[step, slot]
        self.log_probabilities[slot, self.counts[slot] + step] = look.log_probabilities[step, slot]
        self.counts += look.made
        return [self._end(slot, stops) for slot in np.flatnonzero(self.busy & (look.left == 0)).tolist()]

    def _end(self, slot, stops):
        (request, sample), count = self.jobs[slot], self.counts[slot]
        self.busy[slot], self.jobs[slot] = False, None
        tokens = tuple(self.tokens[slot, :count].tolist())
        log_probabilities = tuple(self.log_probabilities[slot, :count].tolist())
        stopped = tokens[-1] in stops
        kept = slice(count - stopped)
        return Completion(
            request=request.id,
            sample=sample,
            tokens=tokens[kept],
            log_probabilities=log_probabilities[kept],
            finish="stop" if stopped else "length",
            stop=tokens[-1] if stopped else None,
            stop_log_probability=log_probabilities[-1] if stopped else None,
        )


def _own(params, dtype):
    """A copy with a list of layers; all in `dtype` but the scales of norms, which work in float32."""

    def copy(path, leaf):
        keep = meshes.path_name(path).endswith("scale")
        return jnp.array(leaf, leaf.dtype if keep else dtype, copy=True)

    return jax.tree_util.tree_map_with_path(copy, decoder.unstack(params))


def _shapes(params):
    leaves = jax.tree_util.tree_flatten_with_path(params)[0]
    return {meshes.path_name(path): tuple(leaf.shape) for path, leaf in leaves}


def _require(holds, message):
    if not holds:
        raise ValueError(message)
