"""Devices, and which of them holds which part of which array.

There is always a mesh with the axes `data`, `fsdp` and `tensor`; on one device it is (1, 1, 1). Two tables place
every array: parameters (and whatever the optimizer keeps for each of them) by path, activations by letters.
"""

import math
import re

import jax
import numpy as np
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
)

ACTIVATIONS = {"b": ROWS, "h": ("tensor",)}


def split_cpu(devices: int):
    """Let the CPU count as several devices: to be called before JAX starts; a user's own choice stands."""
    if jax.config.jax_num_cpu_devices == -1:
        jax.config.update("jax_num_cpu_devices", devices)


def make(sizes: config.Mesh, devices=None) -> jax.sharding.Mesh:
    """The mesh of all devices (or of `devices`); ValueError when the sizes do not multiply to their number."""
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
    return jax.make_mesh(tuple(wanted), AXES, axis_types=(AxisType.Auto,) * 3, devices=devices)


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


def put_batch(mesh, batch):
    """This process's rows of a batch as global arrays, split by rows."""
    sharding = batch_sharding(mesh)
    return jax.tree.map(lambda rows: jax.make_array_from_process_local_data(sharding, np.asarray(rows)), batch)


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
