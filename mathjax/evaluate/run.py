"""Solve the benchmarks of a recipe with a checkpoint, and report."""

import dataclasses
import hashlib
import importlib.metadata
import json
import pathlib
import platform
import time

import jax

from mathjax import checkpoint, config, files, mesh, metrics, prompts, records, solve, tokens, verify
from mathjax.evaluate import benchmarks, corpus, page, report
from mathjax.sample.engine import Engine

CURVE = 400  # points of the learning curve at most
ROUND = 64  # lengths of the cache are multiples of this, so that few are compiled


def run(job: config.Evaluate, workdir) -> dict:
    """Write `attempts/NAME.jsonl` for each benchmark, `report.json` and `report.html` into `workdir`; the report.

    A benchmark whose attempts are there, of the same checkpoint, questions and settings, is not asked again.
    FileNotFoundError and ValueError, before any long work, for what is not there or cannot be.
    """
    begun = time.perf_counter()
    workdir = pathlib.Path(workdir)
    _check(job)
    asked = {benchmark.name: benchmarks.read(benchmark) for benchmark in job.benchmarks}
    corpora = corpus.recipes(job.corpus)
    step = checkpoint.find(job.checkpoint)
    devices = mesh.make(job.mesh)
    loaded = checkpoint.load(step, devices)
    tokenizer = tokens.from_files(loaded.about["tokenizer"], step)
    solver = _Solver(job, loaded, tokenizer, devices, asked)
    stored = {name: _attempts(workdir / "attempts" / name, found, solver) for name, found in asked.items()}
    sources = [source["path"] for source in loaded.about.get("recipe", {}).get("data", {}).get("sources", [])]
    covers = corpus.covers(corpora or corpus.recipes([], sources))
    questions = {record.question for found in asked.values() for record in found}
    seen = corpus.shown(questions, sources) if job.contamination and sources else None
    results = {}
    for benchmark in job.benchmarks:
        rows, cost = stored[benchmark.name]
        found = asked[benchmark.name]
        results[benchmark.name] = report.summarise(
            [(found[row["index"]], row) for row in rows],
            protocols=job.protocols,
            groups=benchmarks.BENCHMARKS[benchmark.kind].groups,
            parts=corpus.parts(covers, seen),
            examples=job.examples,
        ) | {"cost": cost, "data": {"path": benchmark.path, "sha256": digest(found)}}
    whole = _about(job, step, loaded, begun) | {"benchmarks": results}
    write(workdir, whole)
    print(report.table(results))
    print(f"report: {workdir / 'report.html'}")
    return whole


def write(workdir, whole: dict):
    """Write report.json and report.html."""
    with files.whole(pathlib.Path(workdir) / "report.json") as file:
        file.write(json.dumps(whole, indent=2, ensure_ascii=True).encode() + b"\n")
    with files.whole(pathlib.Path(workdir) / "report.html") as file:
        file.write(page.render(whole).encode("utf-8", "replace"))


def digest(found) -> str:
    """Names the questions that are asked: sha256 of the records' lines."""
    total = hashlib.sha256()
    for record in found:
        total.update(records.line(record).encode() + b"\n")
    return total.hexdigest()


def settings(job: config.Evaluate, loaded: checkpoint.Loaded, found) -> str:
    """Names all that the completions of the records `found` depend on; protocols, slots and the mesh are not of it."""
    told = {
        "about": loaded.about,
        "step": loaded.step,
        "sampling": dataclasses.asdict(job.sampling),
        "template": job.template,
        "dtype": job.dtype,
        "questions": digest(found),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


class _Solver:
    """The engine of a checkpoint, made when the first benchmark has to be asked."""

    def __init__(self, job, loaded, tokenizer, devices, asked):
        self.job, self.loaded, self.tokenizer, self.devices, self.asked = job, loaded, tokenizer, devices, asked
        self.engine = None

    def solve(self, found, description):
        if self.engine is None:
            self.engine = Engine(
                self.loaded.model,
                self.loaded.params,
                self.devices,
                slots=self.job.slots,
                length=self._length(),
                eos_id=self.tokenizer.stop_ids,
                pad_id=self.tokenizer.pad_id,
                dtype=self.job.dtype,
            )
        return solve.solve(
            found,
            self.engine,
            self.tokenizer,
            self.job.template,
            self.job.sampling,
            protocol=self.job.protocols[0],
            description=description,
        )

    def _length(self):
        """Of the cache: the longest prompt of all benchmarks, and what may follow it."""
        asked = (record for found in self.asked.values() for record in found)
        longest = max(len(prompts.encode(self.job.template, record, self.tokenizer)) for record in asked)
        return -(-(longest + self.job.sampling.max_tokens) // ROUND) * ROUND


def _attempts(path, found, solver):
    """(rows, cost) of a benchmark's attempts: those in the files `path`.jsonl and .json, or newly made."""
    rows_path, done_path = path.with_name(path.name + ".jsonl"), path.with_name(path.name + ".json")
    named = settings(solver.job, solver.loaded, found)
    done = json.loads(done_path.read_text()) if done_path.exists() else {}
    if done.get("settings") == named and done.get("sha256") == _sha256(rows_path):
        print(f"{path.name}: {done['cost']['attempts']:,} attempts are there")
        return [json.loads(line) for line in rows_path.read_text(encoding="utf-8").split("\n")[:-1]], done["cost"]
    begun, rows = time.perf_counter(), []
    with files.whole(rows_path) as file:
        for attempt in solver.solve(found, path.name):
            rows.append(_row(attempt))
            file.write(json.dumps(rows[-1]).encode() + b"\n")
    seconds, made = time.perf_counter() - begun, sum(row["tokens"] for row in rows)
    cost = {"attempts": len(rows), "seconds": seconds, "tokens": made, "tokens_per_second": made / seconds}
    with files.whole(done_path) as file:
        file.write(json.dumps({"settings": named, "sha256": _sha256(rows_path), "cost": cost}).encode() + b"\n")
    return rows, cost


def _row(attempt):
    return {
        "index": attempt.index,
        "sample": attempt.sample,
        "question": attempt.record.question,
        "completion": attempt.text,
        "finish": attempt.completion.finish,
        "tokens": len(attempt.completion.tokens),
        "log_probability": float(sum(attempt.completion.log_probabilities)),
        "verdict": dataclasses.asdict(attempt.verdict),
    }


def _sha256(path):
    if not path.exists():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(job):
    """Raise ValueError for names that are not in the tables."""
    for name in job.protocols:
        if name not in (known := verify.PROTOCOLS["arithmetic"]):
            raise ValueError(f"config.protocols: no protocol {name!r}; there are {', '.join(known)}")
    if job.template not in prompts.TEMPLATES:
        raise ValueError(f"config.template: no template {job.template!r}; there are {', '.join(prompts.TEMPLATES)}")
    if job.sampling.samples != 1:
        raise ValueError(f"config.sampling.samples: a benchmark asks each question once, got {job.sampling.samples}")


def _about(job, step, loaded, begun):
    """What the report says beside its numbers."""
    return {
        "title": job.title,
        "checkpoint": {
            "path": str(step),
            "step": loaded.step,
            "parameters": sum(leaf.size for leaf in jax.tree.leaves(loaded.params)),
            "model": dataclasses.asdict(loaded.model),
        },
        "recipe": dataclasses.asdict(job),
        "training": {"recipe": loaded.about.get("recipe"), "digests": loaded.about.get("digests")},
        "learning_curve": learning_curve(step.parent.parent, loaded.step),
        "device": f"{jax.device_count()} x {jax.devices()[0].device_kind}",
        "versions": {name: importlib.metadata.version(name) for name in ("jax", "flax", "numpy")}
        | {"python": platform.python_version(), "mathjax": _version()},
        "seconds": time.perf_counter() - begun,
    }


def learning_curve(folder, last: int) -> list[dict]:
    """The losses that a run logged up to step `last`, with the tokens it had seen; thinned out to `CURVE` rows.

    A row with a held-out loss is always kept. [] where the folder has no metrics.
    """
    found, tokens_seen, before = [], 0, 0
    for row in metrics.read(folder):
        if row["step"] > last:
            break
        tokens_seen += (row.get("tokens") or 0) * (row["step"] - before)
        before = row["step"]
        kept = {name: row[name] for name in ("step", "loss", "heldout_loss") if row.get(name) is not None}
        found.append(kept | {"tokens_seen": round(tokens_seen)})
    every = -(-len(found) // CURVE) or 1
    return [row for i, row in enumerate(found) if i % every == 0 or "heldout_loss" in row or i == len(found) - 1]


def _version():
    try:
        return importlib.metadata.version("mathjax")
    except importlib.metadata.PackageNotFoundError:
        return "from source"
