"""The job: sample what is to be sampled, keep what is right and distinct, and report."""

import functools
import itertools
import json
import pathlib

from data_gen import fan_out
from data_gen.rejection import candidates, report, sampling, shard
from mathjax import config, files, records

REPORT, PAGE = "report.json", "report.html"
PAPER, KEPT = "rft.jsonl", "rft_kept.json"  # as published


def run(job: config.Rejection, workdir, workers: int | None = None) -> dict:
    """Write records (the questions' own solutions first, then the paths kept), `report.json` and `report.html`.

    What is to be sampled goes to `samples/NAME.jsonl`, as it comes. Shards are made on `workers` processes (None: all
    cores); a run that was killed goes on where it was, and ends with the same bytes. Gives back the report; after one
    share of several {}: the same job without a share reports.
    """
    workdir = pathlib.Path(workdir)
    fan_out.opened(workdir, job)
    questions = len(records.read(job.questions))
    found = {part.name: part.path or _sampled(job, part, workdir / "samples") for part in job.samples}
    wanted, even = job.sampling.samples, not job.adaptive.round
    for name, path in found.items():
        if (there := candidates.read(path, questions, even).samples) < wanted and even:
            raise ValueError(f"config.samples: {name} has {there} samples a question, {wanted} are wanted")
    cuts = [questions * i // job.shards for i in range(job.shards + 1)]
    spans = [span for span in itertools.pairwise(cuts) if span[0] < span[1]]
    names = [f"train-{i:05}-of-{len(spans):05}.jsonl" for i in range(len(spans))]
    places = [(name, (name, span)) for name, span in zip(names, spans, strict=True)]
    make = functools.partial(_make, job, found, workdir)
    manifest = fan_out.run(make, places, workdir, recipe=job, total=questions, unit="questions", workers=workers)
    if lacking := [name for name in names if name not in manifest["files"]]:
        print(f"share {job.share} is done; {len(lacking)} of {len(names)} files belong to other shares")
        return {}
    told = report.summarise([manifest["files"][name] for name in names], list(found), questions)
    with files.whole(workdir / REPORT) as file:
        file.write(json.dumps(told, indent=2).encode() + b"\n")
    with files.whole(workdir / PAGE) as file:
        file.write(report.page(told).encode())
    if job.published:
        write_published(workdir, [workdir / name for name in names])
    print(report.table(told))
    return told


def write_published(workdir, paths):
    """Write RFT's own files: D' as `{"query", "response"}` a line, and what was kept of each question by its number."""
    kept: dict[str, list[str]] = {}
    with files.whole(pathlib.Path(workdir) / PAPER) as file:
        for path in paths:
            for record in records.read(path):
                row = {"query": record.question, "response": record.solution}
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                if record.maker is not None:
                    kept.setdefault(record.parent.rpartition("#")[2], []).append(record.solution)
    with files.whole(pathlib.Path(workdir) / KEPT) as file:
        file.write(json.dumps(kept, ensure_ascii=False).encode() + b"\n")


def _make(job, found, workdir, place):
    name, span = place
    return shard.write(job, found, span, workdir / name)


def _sampled(job, part, folder):
    """The file of attempts of a model that is still to be asked, or asked for the rest."""
    path = folder / f"{part.name}.jsonl"
    sampling.sample(job, part, path)
    return str(path)
