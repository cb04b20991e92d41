"""A recipe on a target: what its step holds, computes and sends, and how long that takes at least."""

import dataclasses
import math
import re
import time
from dataclasses import dataclass

import jax
import numpy as np

from mathjax import config, mesh, presets, pretrained, tokens
from mathjax.model import kernels, lora
from mathjax.train import flops, step
from mathjax.train.plan import count, formula
from mathjax.train.plan.target import USABLE, Target, seconds

LEFT_OUT = """Left out: input, checkpoints, evaluation and starting; how far products and attention stay below the data
sheet's FLOP/s, and collectives below the links' bytes; waiting for the slowest device; latencies; rows that are not
full (count with the fill that training reports). Every row counts as one text. `at best` takes computing, memory and
network as done at the same time, `in turn` takes the network after the rest; a run should lie between them or above."""


@dataclass(frozen=True)
class Met:
    """The collectives of one kind in a step: how many, their bytes on a device, and the seconds they take at least."""

    kind: str
    times: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """Sizes in bytes and work in FLOPs per device; times in seconds per step."""

    target: str
    devices: int
    chips: int
    how: str  # compiled, or formula
    mesh: dict[str, int]
    rows: int
    length: int
    accumulate: int
    remat: str
    attention: str
    offload: bool
    params: int
    optimizer: int
    working: int  # gradients, activations and what else a step needs
    peak: int
    memory: int  # that there is
    fits: bool
    model_flops: float  # of the formula, for all devices: forward and backward pass without anything done twice
    flops: float  # that a device really computes
    flops_at_best: float  # a second
    compiler_flops: float | None  # as the compiler counts, every loop once
    traffic: float
    collectives: tuple[Met, ...]
    compute_seconds: float
    memory_seconds: float
    network_seconds: float
    compile_seconds: float

    @property
    def best(self) -> float:
        """Seconds of a step if computing, memory and network never wait for one another."""
        return max(self.compute_seconds, self.memory_seconds, self.network_seconds)

    @property
    def in_turn(self) -> float:
        """Seconds of a step if the network is waited for."""
        return max(self.compute_seconds, self.memory_seconds) + self.network_seconds

    def mfu(self, took: float) -> float:
        """The share of the devices' FLOP/s that a step of `took` seconds makes use of."""
        return self.model_flops / took / (self.flops_at_best * self.devices)


def resolved(job: config.Train) -> config.Train:
    """The job with the shape of its model: given, published under its name, or read from where the model lies."""
    begin = job.pretrained
    if begin is None:
        shape = job.model
        if not shape.vocab_size:
            shape = dataclasses.replace(shape, vocab_size=tokens.build(job.tokenizer).vocab_size)
    elif begin.source in presets.PUBLISHED:
        shape = dataclasses.replace(presets.PUBLISHED[begin.source], vocab_multiple=begin.vocab_multiple)
    else:
        shape, _ = pretrained.read(begin.source, begin.revision, begin.vocab_multiple)
    return dataclasses.replace(job, model=lora.adapted(shape, job.lora))


def plan(job: config.Train, target: Target) -> Plan:
    """The plan of a checked job with the shape of its model known: compiled for a TPU, by formula for GPUs.

    ValueError where the recipe and the target do not go together.
    """
    sizes = filled(job.mesh, target.count)
    shares = sizes.data * sizes.fsdp * max(job.accumulate, 1)
    if job.data.rows % shares:
        raise ValueError(f"config.data.rows={job.data.rows} must be a multiple of data x fsdp x accumulate = {shares}")
    return _compiled(job, target, sizes) if target.devices else by_formula(job, target)


def filled(sizes: config.Mesh, count: int) -> config.Mesh:
    """The sizes of a mesh without its -1; ValueError where they do not make `count` devices."""
    given = {name: getattr(sizes, name) for name in mesh.AXES}
    known = math.prod(size for size in given.values() if size != -1)
    made = {name: count // known if size == -1 else size for name, size in given.items()}
    if math.prod(made.values()) != count:
        told = " x ".join(f"{name}={size}" for name, size in given.items())
        raise ValueError(f"config.mesh: {told} does not make the {count} devices of the target")
    return dataclasses.replace(sizes, **made)


def by_formula(job: config.Train, target: Target) -> Plan:
    """The plan without a compiler: of memory, computing and sending alone."""
    sizes = filled(job.mesh, target.count)
    return _plan(job, target, sizes, "formula", formula.memory(job, sizes), formula.work(job, sizes))


def _compiled(job, target, sizes):
    devices = mesh.make(sizes, list(target.devices))
    state, frozen = step.abstract(job, devices), step.frozen(job, devices)
    params, kept = _bytes((state.params, frozen)), _bytes(state.optimizer)
    begun = time.perf_counter()
    try:
        with jax.set_mesh(devices):
            made = step.compile_update(job, devices)
    except jax.errors.JaxRuntimeError as error:
        if not (said := re.search(r"(?:temporaries \(|Used )([\d.]+)([MG])", str(error))):
            raise
        working = int(float(said[1]) * {"M": 2**20, "G": 2**30}[said[2]])
        held, took = formula.Memory(params, kept, working), time.perf_counter() - begun
        return _plan(job, target, sizes, "compiled", held, formula.work(job, sizes), took=took)
    took, used = time.perf_counter() - begun, made.memory_analysis()
    working = used.argument_size_in_bytes - params - kept + used.temp_size_in_bytes + used.generated_code_size_in_bytes
    working += used.output_size_in_bytes - used.alias_size_in_bytes
    held, work = formula.Memory(params, kept, working), count.work(made.as_text())
    counted = (made.cost_analysis() or {}).get("flops")
    return _plan(job, target, sizes, "compiled", held, work, order=_order(target, devices), took=took, counted=counted)


def _plan(job, target, sizes, how, held, work, *, order=None, took=0.0, counted=None):
    met, network, peak = {}, 0.0, sum(dataclasses.astuple(held))
    for one in work.collectives:
        times, size, spent = met.get(one.kind, (0, 0, 0.0))
        more = one.times * sum(seconds(target, one, order))
        met[one.kind] = times + one.times, size + one.times * one.bytes, spent + more
        network += more
    return Plan(
        target=target.name if target.slices == 1 else f"{target.slices} x {target.name}",
        devices=target.count,
        chips=target.chips,
        how=how,
        mesh={name: getattr(sizes, name) for name in mesh.AXES},
        rows=job.data.rows,
        length=job.data.length,
        accumulate=max(job.accumulate, 1),
        remat=job.remat,
        attention=kernels.choose(job.attention, job.data.length, "tpu" if target.chip.axes else "gpu"),
        offload=job.offload,
        params=held.params,
        optimizer=held.optimizer,
        working=held.working,
        peak=peak,
        memory=target.memory,
        fits=peak <= USABLE * target.memory,
        model_flops=flops.step_flops(job.model, *formula.row_tokens(job)),
        flops=work.flops,
        flops_at_best=target.flops,
        compiler_flops=counted,
        traffic=work.traffic,
        collectives=tuple(Met(kind, *numbers) for kind, numbers in sorted(met.items())),
        compute_seconds=work.flops / target.flops,
        memory_seconds=work.traffic / target.bandwidth,
        network_seconds=network,
        compile_seconds=took,
    )


def _bytes(tree):
    """What the arrays of a tree take on each device; not those that lie on the host."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if leaf.sharding.memory_kind != "pinned_host"]
    return sum(math.prod(leaf.sharding.shard_shape(leaf.shape)) * np.dtype(leaf.dtype).itemsize for leaf in leaves)


def _order(target, devices):
    """The number in `target.places` of the device at each place of the mesh."""
    numbers = {device.id: number for number, device in enumerate(target.devices)}
    return [numbers[device.id] for device in devices.devices.flat]
