"""Records without duplicates, and without what a benchmark asks: what is dropped is told, with what it was like.

Duplicates are looked for among questions with their solutions, so that many solutions of one question stay; the first
of equal ones is kept. Near ones share so much of their runs of 5 words (Jaccard), found by MinHash and then measured.
"""

import dataclasses
import hashlib
import json
import pathlib
from collections import Counter

from mathjax import config, files, metrics, overlap, records

FILE, DROPPED, MANIFEST = "records.jsonl", "dropped.jsonl", "manifest.json"
RUN = 5  # words
HASHES = 128
SHOWN = 100  # dropped records in the manifest


def run(job: config.Filter, workdir) -> dict:
    """Write the records that stay, those dropped with the reason, and a manifest of counts, which is given back.

    Files are written whole or not at all. FileNotFoundError for a source or a benchmark that is not there.
    """
    workdir = pathlib.Path(workdir)
    sources = {path: records.read(path) for path in job.sources}
    asked = [(path, place, record.question) for path in job.against for place, record in enumerate(records.read(path))]
    known = overlap.Known(question for *_, question in asked)
    counts, shown, seen = Counter(), [], _Seen(job.near)
    with files.whole(workdir / DROPPED) as dropped:

        def kept():
            with metrics.progress(sum(map(len, sources.values())), "filtering", "records") as bar:
                for path, found in sources.items():
                    for place, record in enumerate(found):
                        where = f"{path}#{place}"
                        why = _contaminated(record, known, asked, job.kinds) or seen.like(record, where)
                        counts[why["why"] if why else "kept"] += 1
                        bar.update()
                        if why is None:
                            yield record
                            continue
                        told = {"where": where, **why, "question": record.question, "solution": record.solution}
                        dropped.write(json.dumps(told).encode() + b"\n")
                        shown.extend([told] if len(shown) < SHOWN else [])

        rows = records.write(workdir / FILE, kept())
    manifest = {
        "recipe": dataclasses.asdict(job),
        "files": {FILE: {"rows": rows, "sha256": records.digest(workdir / FILE)}},
        "digests": {path: records.digest(path) for path in (*job.sources, *job.against)},
        "counts": dict(counts.most_common()),
        "dropped": shown,
    }
    with files.whole(workdir / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=2).encode() + b"\n")
    print(f"{rows:,} records in {workdir / FILE}; " + ", ".join(f"{n:,} {why}" for why, n in counts.most_common()))
    return manifest


def _contaminated(record, known, asked, kinds):
    """Why a record may not stay beside the benchmarks: the closest overlap of a kind that is not allowed; or None."""
    closest = min(
        (pair for pair in known.found(record.question) if pair[1] in kinds),
        key=lambda pair: (overlap.KINDS.index(pair[1]), pair[0]),
        default=None,
    )
    if closest is None:
        return None
    path, place, question = asked[closest[0]]
    return {"why": f"benchmark_{closest[1]}", "like": f"{path}#{place}", "its_question": question}


class _Seen:
    """The records that stayed, as far as it takes to know another like them again."""

    def __init__(self, near: float):
        self.near, self.places, self.runs = near, {}, {}
        if near:
            from datasketch import MinHashLSH

            self.index = MinHashLSH(threshold=near, num_perm=HASHES)

    def like(self, record, where):
        """Why a record is one too many, or None: then it is remembered."""
        said = overlap.words(f"{record.question}\n{record.solution or ''}")
        name = hashlib.blake2b(" ".join(said).encode(), digest_size=16).digest()
        if name in self.places:
            return {"why": "duplicate", "like": self.places[name]}
        if self.near:
            from datasketch import MinHash

            runs = overlap.runs(said, RUN)
            sketch = MinHash(num_perm=HASHES)
            sketch.update_batch([run.encode() for run in sorted(runs)])
            for other in sorted(self.index.query(sketch)):
                share = len(runs & self.runs[other]) / len(runs | self.runs[other])
                if share >= self.near:
                    return {"why": "near_duplicate", "like": other, "share": round(share, 3)}
            self.index.insert(where, sketch)
            self.runs[where] = runs
        self.places[name] = where
        return None
