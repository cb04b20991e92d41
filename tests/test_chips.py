"""The table of chips: which chip a device is."""

import jax
import pytest

from mathjax import chips, config, mesh


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("TPU v4", "v4"),
        ("TPU v5 lite", "v5e"),
        ("TPU v5", "v5p"),
        ("TPU v5p", "v5p"),
        ("TPU v6 lite", "v6e"),
        ("TPU7x", "tpu7x"),
        ("NVIDIA A100-SXM4-80GB", "a100"),
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA H200", "h200"),
        ("NVIDIA B200", "b200"),
    ],
)
def test_a_device_is_known_by_what_it_calls_itself(kind, name):
    assert chips.of_kind(kind) is chips.named(name)


def test_a_device_that_is_not_in_the_table_is_none_of_it():
    assert chips.of_kind("cpu") is None
    with pytest.raises(ValueError, match="no chip 'v3' in the table; there are v4, v5e"):
        chips.named("v3")


def test_the_mesh_in_use_says_platform_and_what_the_compiler_splits_over():
    assert chips.shared() == {}
    with jax.set_mesh(mesh.make(config.Mesh(data=2, fsdp=4))):
        assert chips.platform() == "cpu"
        assert chips.shared() == {"data": 2, "fsdp": 4, "tensor": 1}
        inside = []
        taken = jax.shard_map(
            lambda x: (inside.append(chips.shared()), x)[1],
            in_specs=jax.sharding.PartitionSpec("data"),
            out_specs=jax.sharding.PartitionSpec("data"),
            axis_names={"data"},
        )
        jax.eval_shape(taken, jax.ShapeDtypeStruct((4,), "float32"))
        assert inside[-1] == {"fsdp": 4, "tensor": 1}
