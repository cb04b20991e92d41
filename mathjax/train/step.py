"""The state of training, and the one place where a gradient is taken."""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import optax
from jax.sharding import PartitionSpec

from mathjax import chips, config, mesh
from mathjax.data.batch import Batch
from mathjax.model import decoder, kernels, lora
from mathjax.train import guard, losses

PART = 1024  # tokens of a batch that a CPU works off at a time


@functools.partial(jax.tree_util.register_dataclass, data_fields=["step", "params", "optimizer"], meta_fields=[])
@dataclasses.dataclass
class State:
    """All that training changes: the number of updates made, the params, and the optimizer's own state."""

    step: jax.Array
    params: dict  # those that are trained: all, or the adapters alone
    optimizer: optax.OptState


def shardings(job: config.Train, devices) -> State:
    """Where every array of the state lies on a mesh."""
    return jax.tree.map(lambda leaf: leaf.sharding, abstract(job, devices))


def abstract(job: config.Train, devices) -> State:
    """Shapes, dtypes and shardings of the state, as a checkpoint needs them to restore it."""
    shapes = jax.eval_shape(lambda: _fresh(job, jax.random.key(0)))
    places = mesh.place(devices, shapes)
    if job.offload:
        on_host = jax.tree.map(_on_host, shapes.optimizer, places.optimizer)
        places = dataclasses.replace(places, optimizer=on_host)
    return jax.tree.map(
        lambda leaf, where: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=where), shapes, places
    )


def frozen(job: config.Train, devices) -> dict:
    """Shapes, dtypes and shardings of the params that are not trained: those beside adapters, or {}."""
    if job.lora is None:
        return {}
    base = jax.eval_shape(lambda: decoder.init(lora.adapted(job.model, None), jax.random.key(0)))
    return jax.tree.map(
        lambda leaf, where: jax.ShapeDtypeStruct(leaf.shape, job.pretrained.dtype, sharding=where),
        base,
        mesh.place(devices, base),
    )


def init(job: config.Train, devices) -> State:
    """The state before the first update, made where it will lie; a function of `job.seed` alone."""
    with jax.set_mesh(devices):
        return jax.jit(functools.partial(_fresh, job), out_shardings=shardings(job, devices))(jax.random.key(job.seed))


def begin(job: config.Train, params: dict, devices) -> State:
    """The state before the first update of params that are there; they may not be used afterwards."""
    made = jax.jit(functools.partial(_begun, job), out_shardings=shardings(job, devices), donate_argnums=0)
    with jax.set_mesh(devices):
        return made(params)


def at(number: int, params: dict, optimizer_state, devices) -> State:
    """The state after `number` updates, from what a checkpoint kept of it."""
    return State(jax.device_put(jnp.int32(number), mesh.replicated(devices)), params, optimizer_state)


def probe(job: config.Train, devices):
    """Raise `kernels.Leak` unless attention, as the step will compile it, keeps to the rule on these devices."""
    model, shares = job.model, devices.shape["data"] * devices.shape["fsdp"]
    for length in {data.length for data in (job.data, job.heldout) if data}:
        with jax.set_mesh(devices):
            name = kernels.choose(job.attention, length)
            kernels.probe(name, shares, length, model.heads, model.kv_heads, model.head_dim, jnp.dtype(job.dtype))


def compile_update(job: config.Train, devices):
    """The compiled `update(state, frozen, batch) -> (state, metrics)`; it takes the memory of the state it is given.

    Metrics are float32 scalars: loss, accuracy, gradient_norm, anomaly (1: the step was left out), tokens (not
    padding), targets (of weight above 0), pairs (of a query and a key it sees).
    """
    jitted = jax.jit(
        functools.partial(update, job),
        out_shardings=(shardings(job, devices), mesh.replicated(devices)),
        donate_argnums=0,
    )
    return jitted.lower(abstract(job, devices), frozen(job, devices), _abstract_batch(job.data, devices)).compile()


def compile_loss(job: config.Train, data: config.Data, devices):
    """The compiled `loss(params, frozen, batch)`: float32 [3], weighted sums of losses, of hits, and of weights."""

    def total(params, frozen, batch):
        loss, more = _loss(job, params, frozen, batch)
        return jnp.stack([loss, more["accuracy"], jnp.sum(batch.weights)])

    jitted = jax.jit(total, out_shardings=mesh.replicated(devices))
    return jitted.lower(abstract(job, devices).params, frozen(job, devices), _abstract_batch(data, devices)).compile()


def update(job: config.Train, state: State, frozen: dict, batch):
    """One optimizer step on a global batch, whose weights are scaled here to sum to one, if `guard` lets it count.

    The batch is worked off in `job.accumulate` parts; because the weights are scaled before it is split, the
    gradient is the same in one part or in many.
    """
    real = batch.segments > 0
    metrics = {
        "tokens": jnp.sum(real, dtype=jnp.float32),
        "targets": jnp.sum(batch.weights > 0, dtype=jnp.float32),
        "pairs": jnp.sum(jnp.where(real, batch.positions + 1.0, 0.0)),
    }
    batch = dataclasses.replace(batch, weights=batch.weights / jnp.maximum(jnp.sum(batch.weights), 1e-9))
    (loss, more), gradient = _gradient(job, state.params, frozen, batch)
    before = jax.device_put(state.optimizer, jax.memory.Space.Device) if job.offload else state.optimizer
    params, kept, judged = guard.update(job, gradient, before, state.params, loss)
    metrics |= {"loss": loss, **judged, **more}
    return State(state.step + 1, params, kept), metrics


def _gradient(job, params, frozen, batch):
    """((loss, metrics), gradient) of the global batch, in float32.

    Where every device holds all params, each adds up the parts of its own rows, and the sums meet once: the compiler,
    left to itself, lets them meet after every part.
    """
    if (sizes := jax.sharding.get_abstract_mesh().shape)["data"] != math.prod(sizes.values()):
        return _summed(job, params, frozen, batch)

    def replica(params, frozen, rows):
        return jax.tree.map(lambda x: jax.lax.psum(x, mesh.AXES), _summed(job, params, frozen, rows))

    whole, rows = PartitionSpec(), PartitionSpec(mesh.AXES)
    return jax.shard_map(replica, in_specs=(whole, whole, rows), out_specs=whole, check_vma=False)(
        params, frozen, batch
    )


def _summed(job, params, frozen, batch):
    """((loss, metrics), gradient), summed over the parts of a batch worked off one after the other."""
    value_and_grad = jax.value_and_grad(functools.partial(_loss, job), has_aux=True)
    parts = job.accumulate or _cached_parts(batch.tokens.shape)
    if parts == 1:
        return value_and_grad(params, frozen, batch)

    def part(sums, rows):
        return jax.tree.map(jnp.add, sums, value_and_grad(params, frozen, rows)), None

    split = jax.tree.map(lambda x: _split(x, parts), batch)
    first = jax.tree.map(lambda x: x[0], split)
    zeros = jax.tree.map(jnp.zeros_like, jax.eval_shape(value_and_grad, params, frozen, first))
    return jax.lax.scan(part, zeros, split)[0]


def _cached_parts(shape):
    """How many parts a batch [B, T] is worked off in on a CPU, so that its caches hold the activations of one.

    Parts much smaller than PART would spend their time on adding up gradients. Elsewhere: one part.
    """
    B, T = shape
    if chips.platform() != "cpu":
        return 1
    return next(B // rows for rows in range(min(B, max(1, PART // T)), 0, -1) if B % rows == 0)


def _on_host(leaf, where):
    """The same place in the memory of the host, for whatever is larger than a number."""
    return where.with_memory_kind("pinned_host") if leaf.shape else where


def _abstract_batch(data, devices):
    where = mesh.batch_sharding(devices)
    ids, weights = (
        jax.ShapeDtypeStruct((data.rows, data.length), dtype, sharding=where) for dtype in (jnp.int32, jnp.float32)
    )
    return Batch(tokens=ids, targets=ids, weights=weights, segments=ids, positions=ids)


def _split(x, parts):
    """[B, ...] as [parts, B/parts, ...], each part with an equal share of every device's rows."""
    return jnp.swapaxes(x.reshape(x.shape[0] // parts, parts, *x.shape[1:]), 0, 1)


def _loss(job, params, frozen, batch):
    params = lora.join(frozen, params)
    return losses.next_token(
        job.model,
        params,
        batch,
        dtype=jnp.dtype(job.dtype),
        remat=job.remat,
        unroll=unrolled(job.model),
        attention=job.attention,
    )


def unrolled(model: config.Model) -> int:
    """How many layers are laid out after one another: all on a CPU, where a loop costs more than it saves."""
    return model.layers if chips.platform() == "cpu" else 1


def _fresh(job, key):
    return _begun(job, lora.fresh(job.model, key) if job.lora else decoder.init(job.model, key))


def _begun(job, params):
    return State(jnp.zeros((), jnp.int32), params, guard.init(job, params))
