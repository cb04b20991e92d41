"""FLOPs against the compiler's own count; shapes of known models against their published sizes."""

import jax
import jax.numpy as jnp
import pytest

from mathjax import presets
from mathjax.config import Model
from mathjax.model import decoder
from mathjax.train import flops


def test_flops_are_those_the_compiler_counts():
    model = Model(vocab_size=512, layers=2, width=128, heads=4, kv_heads=2, head_dim=32, mlp_width=384)
    rows, length = 2, 64
    ids = jax.ShapeDtypeStruct((rows, length), jnp.int32)
    params = jax.eval_shape(lambda: decoder.init(model, jax.random.key(0)))

    def forward(params, tokens, positions, segments):
        return decoder.logits(model, params, decoder.apply(model, params, tokens, positions, segments, unroll=2))

    counted = jax.jit(forward).lower(params, ids, ids, ids).compile().cost_analysis()["flops"]
    ours = flops.step_flops(model, rows * length, rows * length * length) / 3  # the program computes hidden pairs too
    assert ours == pytest.approx(counted, rel=0.05)


def test_a_pair_that_is_not_seen_costs_nothing():
    model = presets.QUICKSTART
    alone = flops.step_flops(model, 64, 64)
    assert flops.step_flops(model, 64, 64 * 65 / 2) - alone == 3 * 4 * 3 * 64 * model.layers * (64 * 65 / 2 - 64)


def test_a_cpu_is_measured():
    assert 1e9 < flops.peak("float32") < 1e14


@pytest.mark.parametrize(("name", "published"), [("10M", 11.8e6), ("100M", 110e6), ("500M", 503e6), ("2B", 2.01e9)])
def test_mathglm_has_its_published_size(name, published):
    model = presets.MATHGLM[name]
    matrices = model.layers * (4 * model.width**2 + 3 * model.width * model.mlp_width)
    assert matrices == pytest.approx(published, rel=0.02)


def test_smollm2_has_its_published_size():
    shapes = jax.eval_shape(lambda: decoder.init(presets.SMOLLM2_135M, jax.random.key(0)))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 134_515_008
