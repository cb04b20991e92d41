"""What is counted in compiled programs, how long meetings take, and plans of recipes on devices that are not here."""

import dataclasses
import functools
import importlib.util
import json
import pathlib
import runpy
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import PartitionSpec

from mathjax import chips, config, mesh, presets
from mathjax.model import decoder, lora
from mathjax.train import flops
from mathjax.train.plan import count, formula, hlo, plan, report, search, target
from mathjax.train.plan.count import Collective

CHECKOUT = pathlib.Path(__file__).parents[1]
SMALL = config.Model(
    vocab_size=512, layers=2, width=256, heads=4, kv_heads=2, head_dim=64, mlp_width=512, tied_embeddings=False
)


def recipe(model=SMALL, rows=16, length=256, sizes=None, **settings):
    return config.Train(
        model=model,
        tokenizer=config.Tokenizer(kind="pretrained", source="none"),
        data=config.Data(sources=[config.Source(path="none")], rows=rows, length=length),
        optimizer=config.Optimizer(peak=1e-4),
        mesh=sizes or config.Mesh(data=1, fsdp=-1),
        steps=1000,
        remat="layers",
        **settings,
    )


def gpus(number, name="h100"):
    return target.of(f"{name}:{number}")


def compiled(run, *shapes):
    """The work of a program on the mesh in use."""
    return count.work(
        jax.jit(run).lower(*(jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes)).compile().as_text()
    )


def on_devices(run, **specs):
    return jax.shard_map(run, check_vma=False, **specs)


def test_a_loop_counts_as_often_as_it_turns():
    def turns(x, w):
        def inner(y, _):
            return jnp.tanh(y @ w), None

        def outer(y, _):
            return jax.lax.scan(inner, y, None, length=3)[0], None

        return jax.lax.scan(outer, x, None, length=5)[0]

    assert compiled(turns, (64, 128), (128, 128)).flops == 15 * 2 * 64 * 128 * 128


@pytest.mark.parametrize(
    ("run", "into", "out", "kind", "size"),
    [
        (lambda x: jax.lax.psum(x, "fsdp"), ("data", "fsdp"), ("data",), "all-reduce", 8 * 128 * 4),
        (lambda x: jax.lax.all_gather(x, "fsdp", tiled=True), ("data", "fsdp"), ("data",), "all-gather", 32 * 128 * 4),
        (
            lambda x: jax.lax.psum_scatter(x, "fsdp", tiled=True),
            ("data",),
            ("data", "fsdp"),
            "reduce-scatter",
            32 * 128 * 4,
        ),
        (
            lambda x: jax.lax.ppermute(x, "fsdp", [(i, (i + 1) % 4) for i in range(4)]),
            ("data", "fsdp"),
            ("data", "fsdp"),
            "collective-permute",
            8 * 128 * 4,
        ),
    ],
)
def test_collectives_are_found_with_their_bytes_and_groups(run, into, out, kind, size):
    def three_times(x):
        """Under a loop, so that each meets three times."""
        return jax.lax.scan(lambda total, _: (total + jnp.sum(run(x * total)), None), 1.0, None, length=3)[0] + run(x)

    with jax.set_mesh(mesh.make(config.Mesh(data=2, fsdp=4))):
        specs = {"in_specs": PartitionSpec(into), "out_specs": PartitionSpec(out)}
        work = compiled(on_devices(lambda x: three_times(x), **specs), (64, 128))
    found = [one for one in work.collectives if one.kind == kind and one.bytes == size]
    assert sum(one.times for one in found) == 4
    assert all(set(one.group) <= {0, 1, 2, 3} for one in found)
    assert [len(one.group) for one in found] == [2 if kind == "collective-permute" else 4] * len(found)


@pytest.mark.parametrize(
    ("written", "first"),
    [
        ("replica_groups={{0,2},{1,3}}", (0, 2)),
        ("replica_groups=[2,4]<=[8]", (0, 1, 2, 3)),
        ("replica_groups=[4,2]<=[2,4]T(1,0)", (0, 4)),
        ("replica_groups=mesh['a'=2,'b'=4] {'a'}", (0, 4)),
        ("replica_groups=mesh['a'=2,'b'=4] {'b'}", (0, 1, 2, 3)),
        ("source_target_pairs={{0,1},{1,0}}", (0, 1)),
    ],
)
def test_groups_are_read_in_every_way_they_are_written(written, first):
    line = f"  %x = f32[8]{{0}} all-reduce(%y), channel_id=1, {written}, use_global_device_ids=true"
    assert hlo.group(hlo.parse("%c (p: f32[8]) -> f32[8] {\n" + line + "\n}")[0]["c"]["x"]) == first


# As the TPU compiler writes products and loops: the batch of a product as a window, a loop that counts by two.
ON_A_TPU = """
%body (p: (s32[], bf16[8,64])) -> (s32[], bf16[8,64]) {
  %p = (s32[]{:T(128)}, bf16[8,64]{1,0:T(8,128)(2,1)S(1)}) parameter(0)
  %i = s32[]{:T(128)} get-tuple-element(%p), index=0
  %x = bf16[8,64]{1,0:T(8,128)(2,1)S(1)} get-tuple-element(%p), index=1
  %two = s32[]{:T(128)} constant(2)
  %w = bf16[64,64]{1,0:T(8,128)(2,1)} constant({...})
  %next = s32[]{:T(128)} add(%i, %two)
  %y = bf16[8,64]{1,0:T(8,128)(2,1)S(1)} convolution(%x, %w), dim_labels=bf_io->bf
  ROOT %out = (s32[]{:T(128)}, bf16[8,64]{1,0:T(8,128)(2,1)S(1)}) tuple(%next, %y)
}
%cond (p.1: (s32[], bf16[8,64])) -> pred[] {
  %p.1 = (s32[]{:T(128)}, bf16[8,64]{1,0:T(8,128)(2,1)S(1)}) parameter(0)
  %i.1 = s32[]{:T(128)} get-tuple-element(%p.1), index=0
  %end = s32[]{:T(128)} constant(9)
  ROOT %less = pred[]{:T(512)} compare(%i.1, %end), direction=LT
}
ENTRY %main (a: bf16[8,64], b: bf16[4,16,8], c: bf16[4,8,32]) -> bf16[8,64] {
  %a = bf16[8,64]{1,0:T(8,128)(2,1)} parameter(0)
  %b = bf16[4,16,8]{2,1,0:T(8,128)(2,1)} parameter(1)
  %c = bf16[4,8,32]{2,1,0:T(8,128)(2,1)} parameter(2)
  %one = s32[]{:T(128)} constant(1)
  %batched = bf16[4,16,32]{2,1,0:T(8,128)(2,1)} convolution(%b, %c), window={size=4 stride=3 pad=0_0 lhs_dilate=4}, dim_labels=0bf_0io->0bf
  %start = (s32[]{:T(128)}, bf16[8,64]{1,0:T(8,128)(2,1)S(1)}) tuple(%one, %a)
  %loop = (s32[]{:T(128)}, bf16[8,64]{1,0:T(8,128)(2,1)S(1)}) while(%start), condition=%cond, body=%body
  ROOT %result = bf16[8,64]{1,0:T(8,128)(2,1)} get-tuple-element(%loop), index=1
}
"""  # noqa: E501


def test_products_and_loops_are_counted_as_a_tpu_has_them():
    work = count.work(ON_A_TPU)
    turns, batched = 4, 2 * 4 * 16 * 32 * 8  # 1, 3, 5, 7; four products of [16, 8] and [8, 32]
    assert work.flops == turns * 2 * 8 * 64 * 64 + batched
    weights, counter = 64 * 64 * 2, 3 * 4  # [8, 64] lies in another memory, S(1)
    assert work.traffic == turns * (weights + counter) + 2 * (4 * 16 * 8 + 4 * 8 * 32 + 4 * 16 * 32)


def test_a_loop_that_is_not_understood_is_an_error():
    with pytest.raises(ValueError, match="how often loop turns"):
        count.work(ON_A_TPU.replace("direction=LT", "direction=NE"))


def torus(name="v5e", shape=(16, 16), slices=1):
    """A target whose devices lie as those of a TPU do, without its compiler."""
    places = [(s, x, y, 0) for s in range(slices) for y in range(shape[1]) for x in range(shape[0])]
    return target.Target(f"{name}:{shape[0]}x{shape[1]}", chips.named(name), shape, slices, (), tuple(places))


@pytest.mark.parametrize(
    ("made", "kind", "group", "inside", "between"),
    [
        (torus(), "all-gather", range(16), 15e9 / 100e9, 0),  # a closed ring, both ways
        (torus(), "all-reduce", range(16), 30e9 / 100e9, 0),
        (torus(), "all-gather", range(256), 16e9 * 255 / 256 / 200e9, 0),  # both axes at once
        (torus(shape=(4, 4)), "all-gather", range(4), 12e9 / 100e9, 0),  # an open line at most as fast as a ring
        (torus(slices=2), "all-reduce", (0, 256), 0, 16e9 / 3.125e9),
        (gpus(64), "all-gather", range(8), 14e9 / 450e9, 0),
        (gpus(64), "all-reduce", (0, 8, 16, 24), 0, 2 * 16e9 * 3 / 4 / 50e9),
    ],
)
def test_a_meeting_takes_as_long_as_its_bytes_past_its_links(made, kind, group, inside, between):
    found = target.seconds(made, Collective(kind, 16_000_000_000, tuple(group), 1))
    assert found == pytest.approx((inside, between))


@pytest.mark.parametrize(
    "model", [SMALL, presets.SMOLLM2_135M, presets.LLAMA2_7B, lora.adapted(presets.LLAMA2_70B, config.Lora(rank=8))]
)
def test_the_formula_counts_the_parameters_there_are(model):
    shapes = jax.eval_shape(lambda: decoder.init(model, jax.random.key(0)))
    norms = (2 * model.layers + 1) * model.width
    assert sum(formula.parameters(model)) + norms == sum(leaf.size for leaf in jax.tree.leaves(shapes))


@pytest.mark.parametrize(
    ("name", "billions"), [("LLAMA2_7B", 6.74), ("LLAMA2_13B", 13.02), ("LLAMA2_70B", 68.98), ("CODELLAMA_34B", 33.74)]
)
def test_published_shapes_have_their_published_sizes(name, billions):
    assert sum(formula.parameters(getattr(presets, name))) == pytest.approx(billions * 1e9, rel=2e-3)


def test_what_a_device_computes_is_its_share_and_what_it_repeats():
    job = recipe(presets.LLAMA2_7B, rows=64, length=2048)
    made = plan.plan(job, gpus(64))
    assert made.flops * 64 / made.model_flops == pytest.approx(4 / 3, rel=0.03)
    again = plan.plan(dataclasses.replace(job, remat="none"), gpus(64))
    assert again.flops * 64 == pytest.approx(again.model_flops)
    assert again.working > 2 * made.working


@pytest.mark.parametrize(
    ("change", "smaller"),
    [
        ({"mesh": config.Mesh(data=1, fsdp=32, tensor=2)}, "params"),
        ({"offload": True}, "optimizer"),
        ({"accumulate": 4}, "working"),
    ],
)
def test_a_setting_saves_the_memory_it_is_there_for(change, smaller):
    job = recipe(presets.LLAMA2_7B, rows=512, length=8192, sizes=config.Mesh(data=2, fsdp=32))
    before, after = plan.plan(job, gpus(64)), plan.plan(dataclasses.replace(job, **change), gpus(64))
    assert getattr(after, smaller) <= getattr(before, smaller) / 2


@pytest.mark.parametrize("name", ["train_7b", "train_13b", "train_34b", "train_70b"])
def test_the_large_recipes_fit_64_gpus(name):
    job = runpy.run_path(str(CHECKOUT / "configs" / f"{name}.py"))["get_config"]()
    config.check(job)
    assert plan.plan(plan.resolved(job), gpus(64)).fits


def test_layouts_are_those_that_divide_the_batch_and_fit():
    job = recipe(presets.LLAMA2_70B, rows=64, length=4096)
    found = search.layouts(job, gpus(64))
    assert found
    for one in found:
        sizes = one.mesh
        assert sizes.data * sizes.fsdp * sizes.tensor == 64
        assert 64 % (sizes.data * sizes.fsdp * one.accumulate) == 0
        assert sizes.fsdp * sizes.tensor >= 16  # 70B params take more than 1 TB with their optimizer
    times = [plan.by_formula(one, gpus(64)).in_turn for one in found]
    assert times == sorted(times)


def test_a_model_that_fits_in_no_layout_is_refused():
    with pytest.raises(ValueError, match="no layout of 8 rows of 4096 tokens fits h100:8 by formula"):
        search.search(recipe(presets.LLAMA2_70B, rows=8, length=4096), gpus(8), say=lambda _: None)


def test_the_largest_batch_fits_and_twice_as_many_rows_do_not():
    job, most = search.largest(recipe(presets.LLAMA2_7B, rows=64, length=2048), gpus(64), say=lambda _: None)
    assert most.fits and most.peak > 0.8 * most.memory
    twice = dataclasses.replace(job, data=dataclasses.replace(job.data, rows=2 * job.data.rows))
    assert not plan.plan(twice, gpus(64)).fits


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (recipe(rows=65), "config.data.rows=65 must be a multiple of data x fsdp x accumulate = 64"),
        (recipe(sizes=config.Mesh(data=3, fsdp=5)), "data=3 x fsdp=5 x tensor=1 does not make the 64 devices"),
    ],
)
def test_a_recipe_that_the_devices_cannot_share_is_refused(job, said):
    with pytest.raises(ValueError, match=said):
        plan.plan(job, gpus(64))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("v3:4x4", "there is no chip 'v3' in the table; there are v4, v5e"),
        ("h100", "written v5e:16x16 or h100:64, got 'h100'"),
        ("h100:8x8", "GPUs are written h100:64"),
        ("v5p:4x4", "a slice of v5p has 3 axes, as v5p:4x4x4; got 'v5p:4x4'"),
    ],
)
def test_a_target_that_is_misspelt_is_refused(name, said):
    with pytest.raises(ValueError, match=said):
        target.of(name)


def test_the_report_follows_from_the_plan():
    job = recipe(presets.LLAMA2_7B, rows=64, length=2048)
    made = plan.plan(job, gpus(64))
    told = json.loads(json.dumps(report.as_dict(made, job, price=2.0)))
    assert told["best"]["cost"] == pytest.approx(made.best * 1000 / 3600 * 64 * 2.0)
    assert told["in_turn"]["tokens_per_second"] == pytest.approx(64 * 2048 / made.in_turn)
    assert made.in_turn >= made.best
    shown = report.text(made, job)
    assert "it fits" in shown and "chip-hours" in shown and "cost" not in shown and "Left out:" in shown


needs_libtpu = pytest.mark.skipif(
    importlib.util.find_spec("libtpu") is None, reason="needs libtpu: pip install -e '.[plan]'"
)


@functools.cache
def on_a_tpu():
    """The plan of a small recipe with its optimizer on the host, compiled for four chips; and the formula's."""
    job, four = recipe(offload=True), target.of("v5e:2x2")
    return job, plan.plan(job, four), plan.by_formula(job, four)


@needs_libtpu
def test_a_plan_is_compiled_for_a_tpu_that_is_not_there():
    job, made, _ = on_a_tpu()
    assert (made.how, made.fits, made.devices, made.attention) == ("compiled", True, 4, "splash")
    count = sum(formula.parameters(SMALL))
    assert count <= made.params <= 1.01 * count  # float32 shared by four, and norms that all hold
    assert made.optimizer < 1000  # but for a counter it lies on the host
    assert {met.kind for met in made.collectives} & {"all-gather", "collective-permute"}
    share = flops.step_flops(SMALL, *formula.row_tokens(job)) / 4
    assert 1.2 < made.flops / share < 1.8  # the layers twice forward, scores once more in each of two kernels


@needs_libtpu
def test_the_formula_agrees_with_the_compiler():
    _, made, guessed = on_a_tpu()
    assert guessed.params == pytest.approx(made.params, rel=0.02)
    assert guessed.flops == pytest.approx(made.flops, rel=0.25)
    assert guessed.network_seconds == pytest.approx(made.network_seconds, rel=1.0)


def door(*arguments):
    command = [sys.executable, str(CHECKOUT / "scripts" / "plan.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=CHECKOUT)


def test_the_door_plans_a_recipe_and_writes_its_numbers(tmp_path):
    done = door("--config=configs/train_7b.py", "--topology=h100:64", "--price=2", f"--json={tmp_path}/plan.json")
    assert done.returncode == 0, done.stderr
    assert "64 chips, 64 devices, data=1 fsdp=64 tensor=1; by formula" in done.stdout
    [told] = json.loads((tmp_path / "plan.json").read_text())
    assert told["fits"] and told["best"]["cost"] > 0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--config=configs/train_7b.py"], 2, "--topology=v5e:16x16"),
        (["--config=configs/train_7b.py", "--topology=h10:8"], 1, "there is no chip 'h10'"),
        (["--config=configs/train_7b.py", "--topology=h100:8", "--serach"], 2, "serach"),
        (["--config=configs/train_7b.py", "--topology=h100:8", "--config.data.rowz=8"], 2, "did you mean rows?"),
    ],
)
def test_the_door_says_what_is_wrong(arguments, status, said):
    done = door(*arguments)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
