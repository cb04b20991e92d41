"""An evaluation from a checkpoint to its report, with a tiny model of random params."""

import dataclasses
import json
import pathlib
import shutil
import string
import subprocess
import sys
import urllib.request

import jax
import numpy as np
import pytest

from mathjax import checkpoint, config, records
from mathjax.evaluate import answering, local, run
from mathjax.model import decoder
from mathjax.records import Record
from mathjax.solve import model
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


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A model with letters in its alphabet, random as well, and word problems."""
    folder = tmp_path_factory.mktemp("words")
    tokenizer = CharacterTokenizer(alphabet=string.printable)
    model = dataclasses.replace(MODEL, vocab_size=tokenizer.vocab_size)
    about = {"model": dataclasses.asdict(model), "tokenizer": tokenizer.to_files(), "recipe": {}, "digests": []}
    with checkpoint.Checkpoints(folder / "train") as checkpoints:
        checkpoints.save(1, decoder.init(model, jax.random.key(0)), None, about)
    records.write(folder / "apples.jsonl", WORDS)
    records.write(folder / "seen.jsonl", WORDS[:1])
    return folder


def job(folder, **changes):
    settings = dict(
        checkpoint=str(folder / "train"),
        benchmarks=[
            config.Benchmark(name="sums", path=str(folder / "sums.jsonl"), limit=20),
            config.Benchmark(name="glm", path=str(folder / "test.txt"), kind="mathglm", rows=2),
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
    (path,) = (workdir / "attempts").glob("sums-*.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["question"] for row in rows] == [record.question for record in SUMS[:20]]
    assert sum(row["verdict"]["correct"] for row in rows) == report["benchmarks"]["sums"]["correct"]
    judged = [json.loads(line) for line in (workdir / "judged" / "sums.jsonl").read_text().splitlines()]
    assert [row["completion"] for row in judged] == [row["completion"] for row in rows]
    assert [row["truth"] for row in judged] == [record.answer for record in SUMS[:20]]


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


def test_what_is_done_is_not_asked_again(evaluated, trained, monkeypatch):
    workdir, report = evaluated
    stamps = {path: path.stat().st_mtime_ns for path in (workdir / "attempts").iterdir()}
    monkeypatch.setattr(local.Model, "open", lambda *_: pytest.fail("the model was opened"))
    again = run.run(job(trained, protocols=["mathglm"], title="Other", slots=16), workdir)
    assert {path: path.stat().st_mtime_ns for path in (workdir / "attempts").iterdir()} == stamps
    assert again["benchmarks"]["sums"]["why"] == report["benchmarks"]["sums"]["why"]


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"sampling": config.Sampling(max_tokens=4)}, False),
        ({"sampling": config.Sampling(max_tokens=8, seed=1)}, False),
        ({"mode": "calculator"}, False),
        ({"dtype": "bfloat16"}, False),
        ({"template": "alpaca"}, False),
        ({"slots": 16, "protocols": ["mathglm"], "title": "Other", "shown": 0}, True),
    ],
)
def test_completions_are_good_for_the_settings_that_they_do_not_depend_on(trained, changes, same):
    def settings(job, found=SUMS):
        return answering.Answers(job, {}, None, local.Model(job)).settings(found, job.template)

    first = job(trained)
    assert (settings(first) == settings(dataclasses.replace(first, **changes))) is same
    assert settings(first) != settings(first, SUMS[1:])


def test_a_model_is_known_by_its_files(trained, tmp_path):
    path = local.Model(job(trained)).path
    copy = shutil.copytree(path, tmp_path / "7")
    assert model.fingerprint(copy) == model.fingerprint(path)
    (changed,) = copy.glob("about/*meta*") or copy.glob("about/*")
    changed.write_bytes(changed.read_bytes() + b" ")
    assert model.fingerprint(copy) != model.fingerprint(path)


def test_a_benchmark_that_was_cut_short_is_gone_on_with(evaluated, trained, tmp_path, capsys):
    workdir = shutil.copytree(evaluated[0], tmp_path / "copy")
    (cut,) = (workdir / "attempts").glob("glm-*.jsonl")
    kept = cut.read_bytes()
    cut.write_bytes(kept[:-20])
    about = cut.with_suffix(".json")
    about.write_text(json.dumps(json.loads(about.read_text()) | {"complete": False}))
    run.run(job(trained), workdir)
    assert cut.read_bytes() == kept


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"checkpoint": "./nowhere/run"}, FileNotFoundError, "there is no such file or folder"),
        ({"benchmarks": [config.Benchmark(name="a", path="none.jsonl")]}, FileNotFoundError, "benchmark a: none.jsonl"),
        ({"corpus": ["nowhere"]}, FileNotFoundError, "nowhere: wanted a corpus"),
        ({"protocols": ["kind"]}, ValueError, "no protocol 'kind'; there are hendrycks, .*strict"),
        ({"protocols": ["hendrycks"]}, ValueError, "none of hendrycks judges benchmark sums"),
        ({"records": ["none/*.jsonl"]}, FileNotFoundError, "none"),
        ({"asked_by": "kind"}, ValueError, "config.asked_by: no protocol 'kind'; there are rft, wizardmath"),
        ({"template": "none"}, ValueError, "no template 'none'; there are plain"),
        ({"checkpoint": "", "completions": "none.jsonl"}, FileNotFoundError, "there is no file none.jsonl"),
    ],
)
def test_what_is_not_there_or_cannot_be_is_said_before_any_work(trained, tmp_path, changes, kind, said):
    with pytest.raises(kind, match=said):
        run.run(job(trained, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_completions_from_elsewhere_are_judged_without_a_model(trained, tmp_path):
    path = tmp_path / "made.jsonl"
    path.write_text("".join(json.dumps({"index": i, "completions": [str(i + i % 7), "0"]}) + "\n" for i in range(20)))
    benchmarks = [config.Benchmark(name="sums", path=str(trained / "sums.jsonl"), limit=20)]
    report = run.run(job(trained, checkpoint="", completions=str(path), benchmarks=benchmarks), tmp_path / "out")
    result = report["benchmarks"]["sums"]
    assert (result["n"], result["samples"], result["correct"]) == (20, 2, 21)  # 0+0 is 0 both times
    assert result["votes"]["pass_at"]["2"]["accuracy"] == 1.0
    assert report["completions"]["path"] == str(path)


WORDS = [
    Record(question=f"Ann has {i} apples and gets 2 more. How many apples are there at the end?", answer=str(i + 2))
    for i in range(6)
]


@pytest.mark.parametrize(("mode", "samples"), [("hybrid", 1), ("calculator", 1), ("cot", 3)])
def test_every_mode_asks_stores_judges_and_looks_for_the_questions(words, tmp_path, mode, samples):
    benchmarks = [config.Benchmark(name="apples", path=str(words / "apples.jsonl"), kind="svamp", rows=6)]
    sampling = config.Sampling(max_tokens=6, samples=samples, temperature=float(samples > 1))
    settings = {"mode": mode, "benchmarks": benchmarks, "sampling": sampling, "records": [str(words / "seen.jsonl")]}
    report = run.run(job(words, **settings), tmp_path)
    result = report["benchmarks"]["apples"]
    assert (result["n"], result["attempts"]) == (6, 6 * samples)
    assert sum(result["errors"].values()) == 6 * samples - result["correct"]
    assert result["contamination"]["exact"] == 1 and result["contamination"]["masked"] == 5
    assert result["parts"]["clean"]["n"] == 0
    stages = sorted(path.stem.partition("-")[0] for path in (tmp_path / "attempts").glob("*.jsonl"))
    assert stages[0] == {"hybrid": "apples.cot", "": "apples"}.get(mode, f"apples.{mode}")
    assert run.run(job(words, **settings), tmp_path)["benchmarks"] == report["benchmarks"]


def test_a_server_answers_is_asked_once_and_its_key_is_nowhere(words, tmp_path, monkeypatch):
    monkeypatch.setenv("MATHJAX_TEST_KEY", "sk-secret")
    command = [sys.executable, str(pathlib.Path(__file__).parent / "serving.py"), "--plain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=pathlib.Path(__file__).parent) as process:
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        server = config.Endpoint(url=f"{url}/v1", model="tiny", key="MATHJAX_TEST_KEY", concurrency=2)
        benchmarks = [config.Benchmark(name="apples", path=str(words / "apples.jsonl"), kind="svamp", rows=6)]
        asked = job(words, checkpoint="", endpoint=server, benchmarks=benchmarks)
        try:
            first = run.run(asked, tmp_path)
            assert run.run(asked, tmp_path)["benchmarks"] == first["benchmarks"]
            with urllib.request.urlopen(f"{url}/log") as answer:
                calls = json.load(answer)["calls"]
        finally:
            process.kill()
    assert sorted(call["body"]["prompt"] for call in calls) == sorted(record.question for record in WORDS)
    assert {call["key"] for call in calls} == {"Bearer sk-secret"}
    asked_how = {"choices": 0, "extra": "{}", "log_probabilities": False}
    assert first["endpoint"] == {"url": f"{url}/v1", "model": "tiny", **asked_how}
    assert first["benchmarks"]["apples"]["n"] == 6
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 5 and not any(b"sk-secret" in data for data in written)


def test_a_recipe_can_ask_as_a_protocol_was_asked():
    plain = job(pathlib.Path("."), template="plain", sampling=config.Sampling(max_tokens=8))
    asked = run.asked_by(dataclasses.replace(plain, asked_by="wizardmath"))
    assert (asked.template, asked.sampling.max_tokens) == ("wizardmath", 1024)
    assert asked.sampling.stop == ["Instruction", "Response"]
    hybrid = run.asked_by(dataclasses.replace(plain, mode="hybrid"))
    assert (hybrid.sampling.max_tokens, "Question:" in hybrid.sampling.stop) == (8, True)
    assert run.asked_by(plain) is plain


def test_the_curve_of_a_long_run_is_thinned_but_keeps_the_held_out_losses(tmp_path):
    rows = [{"step": step, "loss": 1.0, "tokens": 10.0} for step in range(10, 20_001, 10)]
    for row in rows[99::100]:
        row["heldout_loss"] = 2.0
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    curve = local.learning_curve(tmp_path, 15_000)
    assert len(curve) <= local.CURVE + 16
    assert sum("heldout_loss" in row for row in curve) == 15
    assert curve[-1] == {"step": 15_000, "loss": 1.0, "heldout_loss": 2.0, "tokens_seen": 150_000}
    assert local.learning_curve(tmp_path / "none", 5) == []
