"""An evaluation from a checkpoint to its report, with a tiny model of random params."""

import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest

from mathjax import checkpoint, config, records
from mathjax.evaluate import run
from mathjax.model import decoder
from mathjax.records import Record
from mathjax.tokens import CharacterTokenizer

TOKENIZER = CharacterTokenizer()
MODEL = config.Model(vocab_size=TOKENIZER.vocab_size, layers=1, width=16, heads=2, kv_heads=1, head_dim=8, mlp_width=16)
SUMS = [Record(question=f"{i}+{i % 7}=", answer=str(i + i % 7), style="arithmetic") for i in range(30)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run of one step, beside the corpus that its recipe names."""
    folder = tmp_path_factory.mktemp("run")
    corpus = config.Arithmetic(parts=[config.Expressions(digits=(1, 1))], train=2)
    (folder / "corpus").mkdir()
    (folder / "corpus" / "manifest.json").write_text(json.dumps({"recipe": dataclasses.asdict(corpus)}))
    shown = [dataclasses.replace(record, solution=record.answer) for record in SUMS[:3]]
    records.write(folder / "corpus" / "train-0.jsonl", shown)
    about = {
        "model": dataclasses.asdict(MODEL),
        "tokenizer": TOKENIZER.to_files(),
        "recipe": {"data": {"sources": [{"path": f"{folder}/corpus/train-*.jsonl", "weight": 1.0}]}},
        "digests": [],
    }
    with checkpoint.Checkpoints(folder / "train") as checkpoints:
        checkpoints.save(7, decoder.init(MODEL, jax.random.key(0)), {"steps": np.zeros(1)}, about)
    rows = [{"step": step, "loss": 3 / step, "tokens": 100.0} for step in range(1, 12)]
    rows[4]["heldout_loss"] = 1.0
    (folder / "train" / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    records.write(folder / "sums.jsonl", SUMS)
    (folder / "test.txt").write_text("12*3=\n(1/2)+(1/3)=\n")
    return folder


def job(folder, **changes):
    settings = dict(
        checkpoint=str(folder / "train"),
        benchmarks=[
            config.Benchmark(name="sums", path=str(folder / "sums.jsonl"), limit=20),
            config.Benchmark(name="glm", path=str(folder / "test.txt"), kind="mathglm"),
        ],
        sampling=config.Sampling(max_tokens=8),
        slots=8,
    )
    return config.Evaluate(**settings | changes)


@pytest.fixture(scope="module")
def evaluated(trained, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("evaluation")
    return workdir, run.run(job(trained), workdir)


def test_the_report_holds_every_benchmark_with_its_interval(evaluated):
    workdir, report = evaluated
    assert json.loads((workdir / "report.json").read_text()) == json.loads(json.dumps(report))
    assert {name: result["n"] for name, result in report["benchmarks"].items()} == {"sums": 20, "glm": 2}
    for result in report["benchmarks"].values():
        low, high = result["interval"]
        assert 0 <= low <= result["accuracy"] <= high <= 1
        assert result["cost"]["attempts"] == result["n"]
    assert report["checkpoint"]["step"] == 7
    assert report["checkpoint"]["parameters"] > 1000


def test_the_attempts_are_stored_with_their_verdicts_in_the_order_of_the_records(evaluated):
    workdir, report = evaluated
    rows = [json.loads(line) for line in (workdir / "attempts" / "sums.jsonl").read_text().splitlines()]
    assert [row["question"] for row in rows] == [record.question for record in SUMS[:20]]
    assert sum(row["verdict"]["correct"] for row in rows) == report["benchmarks"]["sums"]["correct"]


def test_parts_are_told_by_the_corpus_the_checkpoint_was_trained_on(evaluated):
    _, report = evaluated
    parts = report["benchmarks"]["sums"]["parts"]
    assert {name: part["n"] for name, part in parts.items()} == {"covered": 10, "not_covered": 10, "covered_unseen": 7}


def test_the_page_is_there_with_the_learning_curve_up_to_the_step(evaluated):
    workdir, report = evaluated
    text = (workdir / "report.html").read_text()
    assert "Learning curve" in text
    assert [row["step"] for row in report["learning_curve"]] == list(range(1, 8))
    assert report["learning_curve"][4] == {"step": 5, "loss": 3 / 5, "heldout_loss": 1.0, "tokens_seen": 500}


def test_what_is_done_is_not_asked_again(evaluated, trained, capsys):
    workdir, report = evaluated
    stamps = {path: path.stat().st_mtime_ns for path in (workdir / "attempts").iterdir()}
    again = run.run(job(trained, protocols=["mathglm"], title="Other"), workdir)
    assert {path: path.stat().st_mtime_ns for path in (workdir / "attempts").iterdir()} == stamps
    assert "sums: 20 attempts are there" in capsys.readouterr().out
    assert again["benchmarks"]["sums"]["why"] == report["benchmarks"]["sums"]["why"]


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"sampling": config.Sampling(max_tokens=4)}, False),
        ({"sampling": config.Sampling(max_tokens=8, seed=1)}, False),
        ({"dtype": "bfloat16"}, False),
        ({"template": "alpaca"}, False),
        ({"slots": 16, "protocols": ["mathglm"], "title": "Other", "examples": 0}, True),
    ],
)
def test_completions_are_good_for_the_settings_that_they_do_not_depend_on(trained, changes, same):
    first, loaded = job(trained), checkpoint.Loaded(7, MODEL, {}, {"recipe": {}})
    other = dataclasses.replace(first, **changes)
    assert (run.settings(first, loaded, SUMS) == run.settings(other, loaded, SUMS)) is same
    assert run.settings(first, loaded, SUMS) != run.settings(first, loaded, SUMS[1:])
    assert run.settings(first, loaded, SUMS) != run.settings(first, dataclasses.replace(loaded, step=8), SUMS)


def test_a_benchmark_that_was_cut_short_is_asked_again_and_the_finished_one_is_not(
    evaluated, trained, tmp_path, capsys
):
    workdir = shutil.copytree(evaluated[0], tmp_path / "copy")
    cut = workdir / "attempts" / "glm.jsonl"
    kept = cut.read_bytes()
    cut.write_bytes(kept[:-20])
    capsys.readouterr()
    run.run(job(trained), workdir)
    said = capsys.readouterr().out
    assert "sums: 20 attempts are there" in said
    assert "glm: 2" not in said
    assert cut.read_bytes() == kept


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"checkpoint": "nowhere/run"}, FileNotFoundError, "wanted a checkpoint or a run"),
        ({"benchmarks": [config.Benchmark(name="a", path="none.jsonl")]}, FileNotFoundError, "benchmark a: none.jsonl"),
        ({"corpus": ["nowhere"]}, FileNotFoundError, "nowhere: wanted a corpus"),
        ({"protocols": ["kind"]}, ValueError, "no protocol 'kind'; there are strict, mathglm"),
        ({"template": "none"}, ValueError, "no template 'none'; there are plain"),
        ({"sampling": config.Sampling(samples=4)}, ValueError, "asks each question once, got 4"),
    ],
)
def test_what_is_not_there_or_cannot_be_is_said_before_any_work(trained, tmp_path, changes, kind, said):
    with pytest.raises(kind, match=said):
        run.run(job(trained, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_curve_of_a_long_run_is_thinned_but_keeps_the_held_out_losses(tmp_path):
    rows = [{"step": step, "loss": 1.0, "tokens": 10.0} for step in range(10, 20_001, 10)]
    for row in rows[99::100]:
        row["heldout_loss"] = 2.0
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    curve = run.learning_curve(tmp_path, 15_000)
    assert len(curve) <= run.CURVE + 16
    assert sum("heldout_loss" in row for row in curve) == 15
    assert curve[-1] == {"step": 15_000, "loss": 1.0, "heldout_loss": 2.0, "tokens_seen": 150_000}
    assert run.learning_curve(tmp_path / "none", 5) == []
