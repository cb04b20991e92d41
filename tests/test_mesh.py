"""Which device holds what."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import topologies
from jax.sharding import PartitionSpec

from mathjax import mesh
from mathjax.config import Mesh, Model
from mathjax.model import decoder

MODEL = Model(
    vocab_size=24,
    layers=2,
    width=32,
    heads=4,
    kv_heads=2,
    head_dim=8,
    mlp_width=48,
    tied_embeddings=False,
    qkv_bias=True,
    qk_norm=True,
)


@pytest.mark.parametrize(
    ("sizes", "shape"),
    [
        (Mesh(), (8, 1, 1)),
        (Mesh(data=2, fsdp=-1, tensor=2), (2, 2, 2)),
        (Mesh(data=1, fsdp=1, tensor=-1), (1, 1, 8)),
    ],
)
def test_minus_one_takes_the_devices_that_are_left(sizes, shape):
    assert mesh.make(sizes).devices.shape == shape


@pytest.mark.parametrize("sizes", [Mesh(data=3), Mesh(data=-1, tensor=5), Mesh(data=16)])
def test_sizes_that_do_not_make_the_devices_are_an_error(sizes):
    with pytest.raises(ValueError, match="does not make the 8 devices"):
        mesh.make(sizes)


def test_every_parameter_has_a_place():
    shapes = jax.eval_shape(lambda: decoder.init(MODEL, jax.random.key(0)))
    placed = mesh.place(mesh.make(Mesh(data=2, fsdp=2, tensor=2)), shapes)
    assert placed["layers"]["mlp"]["down"]["kernel"].spec == PartitionSpec(None, "tensor", "fsdp")
    assert placed["embedding"]["table"].spec == PartitionSpec(("fsdp", "tensor"), None)


def test_a_parameter_of_no_row_is_an_error():
    with pytest.raises(ValueError, match="mixer/gamma"):
        mesh.place(mesh.make(Mesh()), {"mixer": {"gamma": jnp.zeros(4)}})


def test_an_axis_that_does_not_divide_is_left_out():
    tree = {"embedding": {"table": jax.ShapeDtypeStruct((22, 32), jnp.float32)}}
    placed = mesh.place(mesh.make(Mesh(data=1, fsdp=4, tensor=2)), tree)
    assert placed["embedding"]["table"].spec == PartitionSpec(None, None)


def test_a_batch_comes_back_as_it_was_put():
    rows = np.arange(32).reshape(16, 2)
    put = mesh.put_batch(mesh.make(Mesh(data=4, fsdp=2)), {"tokens": rows})["tokens"]
    np.testing.assert_array_equal(put, rows)
    assert {shard.data.shape for shard in put.addressable_shards} == {(2, 2)}


@pytest.mark.parametrize(
    ("sizes", "rows", "shares"),
    [
        # Of two slices of 4 x 4 chips, four on each host: which slice holds each row of the mesh, and who shares rows.
        (Mesh(data=2, fsdp=16), [{0}, {1}], [(host, 8) for host in range(8)]),
        (Mesh(data=4, fsdp=-1), [{0}, {0}, {1}, {1}], [(host, 8) for host in range(8)]),
        (Mesh(data=2, fsdp=4, tensor=4), [{0}, {1}], [(host // 2, 4) for host in range(8)]),
    ],
)
def test_data_runs_across_slices_and_hosts_get_the_rows_of_their_devices(sizes, rows, shares):
    pytest.importorskip("libtpu", reason="needs libtpu, which knows pods that are not there")
    devices = topologies.get_topology_desc("v5e:4x4", platform="tpu", num_slices=2).devices
    made = mesh.make(sizes, devices)
    assert [{device.slice_index for device in row.flat} for row in made.devices] == rows
    assert sorted(mesh.share(made, host) for host in {device.process_index for device in devices}) == shares
    with pytest.raises(ValueError, match="data=1 must be a multiple of the 2 slices"):
        mesh.make(Mesh(data=1, fsdp=-1), devices)


def test_one_process_needs_all_rows():
    assert mesh.share(mesh.make(Mesh(data=2, fsdp=2, tensor=2))) == (0, 1)
