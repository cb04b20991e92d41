"""Params from arrays that lie elsewhere, a few rows at a time, straight to where each device holds its part."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from mathjax import config, mesh, metrics
from mathjax.model import decoder

BLOCK = 4 * 2**20  # elements read at a time


class Source(Protocol):
    """An array in a file: [outputs, inputs] for a kernel, which we hold the other way round."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def rows(self, start: int, stop: int) -> np.ndarray: ...


def leaves(model: config.Model) -> dict[str, jax.ShapeDtypeStruct]:
    """The shape of every array of the params, by its path; those of layers begin with L."""
    shapes = jax.eval_shape(lambda: decoder.init(model, jax.random.key(0)))
    return {mesh.path_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(shapes)}


def wanted(model: config.Model, names: dict[str, str]) -> Iterator[tuple[str, str, int | None, tuple[int, ...]]]:
    """(name in the file, our path, layer or None, shape in the file) of every array of a model.

    `names` gives the name for each path; where it has a brace pair, the layer's number stands there.
    """
    for path, leaf in leaves(model).items():
        stacked = path.startswith("layers/")
        shape = leaf.shape[1:] if stacked else leaf.shape
        if path.endswith("kernel"):
            shape = shape[::-1]
        elif path.endswith("table"):
            shape = (model.vocab_size, *shape[1:])
        for layer in range(model.layers) if stacked else (None,):
            yield names[path].format(layer), path, layer, shape


def check(model: config.Model, names: dict[str, str], found: dict[str, Source], where, unused: Callable[[str], bool]):
    """ValueError unless the arrays found are those of the model; `unused` says which others do not matter."""
    shapes = {name: shape for name, _, _, shape in wanted(model, names)}
    if missing := sorted(shapes.keys() - found.keys()):
        raise ValueError(f"{where} lacks {_some(missing)}")
    if more := sorted(name for name in found.keys() - shapes.keys() if not unused(name)):
        raise ValueError(f"{where} has arrays that the decoder has no place for: {_some(more)}")
    for name, shape in shapes.items():
        if tuple(found[name].shape) != shape:
            raise ValueError(f"{where}: {name} has shape {tuple(found[name].shape)}, its config makes it {shape}")


def load(model: config.Model, devices: jax.sharding.Mesh, dtype, names: dict[str, str], found: dict[str, Source]):
    """The params, placed on the mesh, from the arrays found; in `dtype`, or where that is None in that of the files."""
    shapes = jax.eval_shape(lambda: decoder.init(model, jax.random.key(0)))

    def one(path, leaf, where):
        name = mesh.path_name(path)
        turned = name.endswith("kernel")
        if not name.startswith("layers/"):
            source = found[names[name]]
            bar.update()
            return _place(source, leaf.shape, where, dtype or source.dtype, turned)
        layers = [found[names[name].format(layer)] for layer in range(model.layers)]
        return _stack(layers, leaf.shape, where, dtype or np.result_type(*(x.dtype for x in layers)), turned, bar)

    with metrics.progress(sum(1 for _ in wanted(model, names)), "reading params", "arrays") as bar:
        return jax.tree_util.tree_map_with_path(one, shapes, mesh.place(devices, shapes))


def _stack(layers, shape, where, dtype, turned, bar):
    """The arrays of all layers as one, [L, ...]: made where it will lie, and filled layer by layer."""
    stack = _empty(shape, dtype, where)
    inner = jax.sharding.NamedSharding(where.mesh, jax.sharding.PartitionSpec(*where.spec[1:]))
    for layer, source in enumerate(layers):
        part = _place(source, shape[1:], inner, dtype, turned)
        stack = jax.block_until_ready(_put(stack, part, layer, where))  # or parts would wait in memory
        bar.update()
    return stack


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _empty(shape, dtype, where):
    return jax.lax.with_sharding_constraint(jnp.zeros(shape, dtype), where)


@functools.partial(jax.jit, static_argnums=3, donate_argnums=0)
def _put(stack, part, layer, where):
    return jax.lax.with_sharding_constraint(jax.lax.dynamic_update_index_in_dim(stack, part, layer, 0), where)


def _place(source, shape, where, dtype, turned):
    return jax.make_array_from_callback(shape, where, lambda piece: _read(source, shape, piece, dtype, turned))


def _read(source, shape, piece, dtype, turned):
    """A piece of an array of `shape`, read in blocks of rows; rows that the file does not have are 0."""
    spans = [range(size)[where] for where, size in zip(piece, shape, strict=True)]
    out = _zeros([len(span) for span in spans], np.dtype(dtype))
    rows, *rest = reversed(spans) if turned else spans
    into = out.T if turned else out
    last = min(rows.stop, source.shape[0])
    step = max(1, BLOCK // max(1, math.prod(source.shape[1:])))
    for start in range(rows.start, last, step):
        stop = min(start + step, last)
        block = source.rows(start, stop)
        into[start - rows.start : stop - rows.start] = block[(slice(None), *(slice(s.start, s.stop) for s in rest))]
    return out


def _zeros(shape, dtype):
    """Zeros in memory that a CPU device takes over as it is: it copies arrays that do not begin at 64 bytes."""
    size = math.prod(shape) * dtype.itemsize
    room = np.zeros(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size].view(dtype).reshape(shape)


def _some(names):
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
