"""Devices, and which of them holds which part of which array.

There is always a mesh with the axes `data`, `fsdp` and `tensor`; on one device it is (1, 1, 1). Two tables place
every array: parameters (and whatever the optimizer keeps for each of them) by path, activations by letters.
"""

import functools
import math
import re

import jax
import numpy as np
from jax.experimental import mesh_utils
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from mathjax import config

AXES = ("data", "fsdp", "tensor")
ROWS = ("data", "fsdp")  # the axes that split the rows of a batch

# The last dimensions of a parameter, by the end of its path; a stack of layers has one more in front, never split.
PARAMS = (
    (
        r"embedding/table|head/table",
        (("fsdp", "tensor"), None),
    ),  # ("tensor", "fsdp") would rematerialize at each lookup
    (r"attention/(query|key|value)/kernel", ("fsdp", "tensor")),
    (r"attention/(query|key|value)/bias", ("tensor",)),
    (r"attention/out/kernel", ("tensor", "fsdp")),
    (r"mlp/(gate|up)/kernel", ("fsdp", "tensor")),
    (r"mlp/down/kernel", ("tensor", "fsdp")),
    (r"(query|key|value|gate|up)/lora_a", ("fsdp", None)),
    (r"(query|key|value|gate|up)/lora_b", (None, "tensor")),
    (r"(out|down)/lora_a", ("tensor", None)),
    (r"(out|down)/lora_b", (None, "fsdp")),
    (r"\w*norm/scale", (None,)),
    (r"count|step|ns_coeffs", ()),  # what an optimizer keeps beside its moments
    (r"spread/(mean|square)", (None,)),  # what `train.guard` keeps of the steps before
)

ACTIVATIONS = {"b": ROWS, "h": ("tensor",)}


def split_cpu(devices: int):
    """Let the CPU count as several devices: to be called before JAX starts; a user's own choice stands."""
    if jax.config.jax_num_cpu_devices == -1:
        jax.config.update("jax_num_cpu_devices", devices)


def make(sizes: config.Mesh, devices=None) -> jax.sharding.Mesh:
    """The mesh of all devices (or of `devices`); ValueError when the sizes do not multiply to their number.

    Where the devices are those of several TPU slices, the `data` axis runs across slices, and every other axis stays
    inside one, where the connections are fast; ValueError when `data` is no multiple of the slices.
    """
    devices = jax.devices() if devices is None else devices
    wanted = [sizes.data, sizes.fsdp, sizes.tensor]
    given = math.prod(size for size in wanted if size != -1)
    if -1 in wanted and len(devices) % given == 0:
        wanted[wanted.index(-1)] = len(devices) // given
    if math.prod(wanted) != len(devices):
        raise ValueError(
            f"config.mesh: data={sizes.data} x fsdp={sizes.fsdp} x tensor={sizes.tensor} does not make "
            f"the {len(devices)} devices there are"
        )
    kinds = (AxisType.Auto,) * len(AXES)
    slices = len({getattr(device, "slice_index", 0) for device in devices})
    if slices == 1:
        return jax.make_mesh(tuple(wanted), AXES, axis_types=kinds, devices=devices)
    data, *inside = wanted
    if data % slices:
        raise ValueError(f"config.mesh: data={data} must be a multiple of the {slices} slices that it runs across")
    across = (slices, *(1 for _ in inside))
    within = (data // slices, *inside)
    ordered = mesh_utils.create_hybrid_device_mesh(within, across, devices=devices, allow_split_physical_axes=True)
    return jax.sharding.Mesh(ordered, AXES, axis_types=kinds)


def batch_sharding(mesh) -> NamedSharding:
    """Rows of a batch split over `data` and `fsdp`."""
    return NamedSharding(mesh, PartitionSpec(ROWS))


def replicated(mesh) -> NamedSharding:
    return NamedSharding(mesh, PartitionSpec())


def place(mesh, tree):
    """The sharding of every array in a tree of params or optimizer state, by its path.

    ValueError for a path that no row of PARAMS places. An axis that does not divide its dimension is left out, so
    the 24 rows of a character embedding stay whole where eight devices could not share them evenly.
    """
    return jax.tree_util.tree_map_with_path(lambda path, leaf: _sharding(mesh, path_name(path), leaf), tree)


def path_name(path) -> str:
    """The keys of a tree path joined by slashes, as the rows of PARAMS are written: `layers/mlp/up/kernel`."""
    return "/".join(str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", key)))) for key in path)


def constrain(x, letters: str):
    """`x` held to the layout of its letters (one a dimension, a dot for none) on the mesh in use, if there is one.

    Axes that `jax.shard_map` has taken apart are left out.
    """
    mesh = jax.sharding.get_abstract_mesh()
    free = [name for name, kind in zip(mesh.axis_names, mesh.axis_types, strict=True) if kind == AxisType.Auto]
    if math.prod(mesh.shape[name] for name in free) == 1:
        return x
    wanted = [tuple(name for name in ACTIVATIONS.get(letter, ()) if name in free) for letter in letters]
    spec = [_dividing(mesh, names, size) for names, size in zip(wanted, x.shape, strict=True)]
    return jax.lax.with_sharding_constraint(x, PartitionSpec(*spec))


@functools.cache
def share(mesh, process: int | None = None) -> tuple[int, int]:
    """(i, n): a process (by default this one) needs the rows i/n to (i+1)/n of each batch.

    Processes whose devices hold parts of the same rows, as where `tensor` runs across hosts, need the same ones.
    ValueError where the rows of two processes overlap otherwise.
    """
    process = jax.process_index() if process is None else process
    needed = {}
    for device, (rows,) in batch_sharding(mesh).devices_indices_map((mesh.size,)).items():
        needed.setdefault(device.process_index, set()).add(rows.indices(mesh.size)[:2])
    shares = sorted({tuple(sorted(rows)) for rows in needed.values()})
    if len({part for rows in shares for part in rows}) != sum(map(len, shares)) or len(set(map(len, shares))) != 1:
        raise ValueError(f"config.mesh {dict(mesh.shape)}: the rows of a batch cannot be shared evenly by the hosts")
    return shares.index(tuple(sorted(needed[process]))), len(shares)


def put_batch(mesh, batch):
    """The rows of a batch that this process needs (`share`) as global arrays, split by rows."""
    sharding, (_, parts) = batch_sharding(mesh), share(mesh)

    def put(rows):
        rows = np.asarray(rows)
        return jax.make_array_from_process_local_data(sharding, rows, (parts * len(rows), *rows.shape[1:]))

    return jax.tree.map(put, batch)


def _sharding(mesh, name, leaf):
    for pattern, spec in PARAMS:
        if re.search(rf"(^|/)({pattern})$", name):
            lead = (None,) * (len(leaf.shape) - len(spec))
            axes = [_dividing(mesh, axis, size) for axis, size in zip(lead + spec, leaf.shape, strict=True)]
            return NamedSharding(mesh, PartitionSpec(*axes))
    raise ValueError(f"no row of mesh.PARAMS places the parameter {name} of shape {leaf.shape}")


def _dividing(mesh, axis, size):
    """`axis` (a name, several, or None) if the devices along it share `size` evenly, otherwise None."""
    names = (axis,) if isinstance(axis, str) else axis or ()
    return axis if names and size % math.prod(mesh.shape[name] for name in names) == 0 else None
