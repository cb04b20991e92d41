"""The job that turns a published data set into a file of records."""

import dataclasses
import json
import pathlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from data_gen.sources import hub, rows
from data_gen.sources.rows import Row
from data_gen.sources.table import DATA_SETS
from mathjax import config, files, metrics, records
from mathjax.records import Record

FILE = "records.jsonl"
REJECTED = "records.rejected.jsonl"
MANIFEST = "manifest.json"
_PROBLEM = re.compile(r"(?:^|/)((?:train|test)/[a-z_]+/[0-9]+\.json)$")


def run(job: config.PublicData, workdir) -> dict:
    """Write a data set as records into `workdir`, then a manifest of what was found; returns it.

    With `on_malformed="quarantine"`, rows that cannot be read go to REJECTED, with place and reason. Nothing is written
    where a name or a count does not hold, or a row is malformed and that is to stop the job: ValueError says which.
    """
    workdir, expected, paths, counts = pathlib.Path(workdir), _expected(job), _paths(job), Counter()
    source = f"{job.name}/{job.split}" if job.split else job.name
    with files.whole(workdir / REJECTED) as rejected, metrics.progress(expected, job.name, "rows") as bar:
        found = tried(job.name, paths, source)
        records.write(workdir / FILE, _accepted(found, job.on_malformed, rejected, counts, bar, expected))
    if not counts["rejected"]:
        (workdir / REJECTED).unlink()
    manifest = _manifest(job, workdir, paths, counts)
    with files.whole(workdir / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=2).encode() + b"\n")
    lost = f"; {counts['rejected']:,} rows rejected, see {workdir / REJECTED}" if counts["rejected"] else ""
    print(f"{counts['records']:,} records of {counts['rows']:,} rows in {workdir / FILE}{lost}")
    return manifest


def read(name: str, path, source: str | None = None) -> Iterator[Record]:
    """The records of a data set's local file, folder or glob; ValueError names the file and line of a malformed row.

    `source` is the source of the records, by default the name of the data set.
    """
    for row, found, why in tried(name, rows.find(path), source or name):
        if why:
            raise ValueError(_malformed(row, why))
        yield from found


def tried(name: str, paths: Iterable[str], source: str) -> Iterator[tuple[Row, list[Record], str]]:
    """Every row of some files, with its records, or with none and the reason why it is malformed."""
    reader = DATA_SETS[name].reader
    for path in paths:
        for row in rows.read(path):
            found, why = [], row.why
            if row.columns is not None:
                try:
                    found = reader(_named(path) | row.columns, source)
                except (ValueError, TypeError) as error:
                    why = str(error)
            yield row, found, why


def _named(path):
    """Of a problem of MATH in a file of its own, what MATH-500 calls it: test/algebra/1.json."""
    match = _PROBLEM.search(pathlib.PurePath(path).as_posix())
    return {"unique_id": match[1]} if match else {}


def _accepted(found, on_malformed, rejected, counts, bar, expected):
    """The records of `found`, rows counted; malformed ones go to the file `rejected` or are a ValueError."""
    for row, made, why in found:
        counts["rows"] += 1
        if why and on_malformed == "stop":
            raise ValueError(f"{_malformed(row, why)}; with config.on_malformed=quarantine such rows are set apart")
        if why:
            counts["rejected"] += 1
            line = {"file": row.path, "line": row.line, "reason": why, "raw": row.raw}
            rejected.write(json.dumps(line).encode() + b"\n")
        for record in made:
            counts["records"] += 1
            counts["without_answer"] += record.answer is None
            counts["source", record.source] += 1
            counts["style", record.style] += 1
            yield record
        bar.update(1)
    if expected is not None and counts["rows"] != expected:
        raise ValueError(
            f"{row.path if counts['rows'] else 'the files'}: {counts['rows']:,} rows where {expected:,} are published; "
            "config.rows says how many there should be, -1: any number"
        )


def _malformed(row, why):
    return f"{row.path}, line {row.line}: {why}"


def _expected(job):
    """How many rows there must be; None: any number."""
    if job.name not in DATA_SETS:
        raise ValueError(f"config.name: no data set {job.name!r}; there are {', '.join(DATA_SETS)}")
    if job.rows:
        return job.rows if job.rows > 0 else None
    known = DATA_SETS[job.name].rows
    if job.split not in known:
        counts = ", ".join(f"{split} ({count:,})" for split, count in known.items()) or "none"
        raise ValueError(
            f"config.split: the splits of {job.name} whose rows are known are {counts}; for {job.split!r}, "
            "config.rows must say how many there are, -1: any number"
        )
    return known[job.split]


def _paths(job):
    return rows.find(hub.fetch(job.path, job.revision) if job.path.startswith(hub.PREFIX) else job.path)


def _manifest(job, workdir, paths, counts):
    by = {kind: {name[1]: n for name, n in counts.items() if name[0] == kind} for kind in ("source", "style")}
    total = {name: counts[name] for name in ("rows", "records", "rejected", "without_answer")}
    written = {FILE: {"rows": counts["records"], "sha256": records.digest(workdir / FILE)}}
    if counts["rejected"]:
        written[REJECTED] = {"rows": counts["rejected"], "sha256": records.digest(workdir / REJECTED)}
    return {
        "recipe": dataclasses.asdict(job),
        "files": written,
        "licence": DATA_SETS[job.name].licence,
        "source": {"path": job.path, "files": len(paths), "sha256": rows.digest(paths)},
        "counts": total | {"sources": by["source"], "styles": by["style"]},
    }
