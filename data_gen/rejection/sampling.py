"""Completions of a model here or of a server, stored as they come; on one machine, or an engine on each of many."""

import contextlib
import dataclasses
import functools
import json
import pathlib
from dataclasses import dataclass

from data_gen import ray_cluster
from data_gen.rejection import adaptive, candidates, shard
from mathjax import config, metrics, records, solve, verify


@dataclass(frozen=True)
class Piece:
    """What is asked for in one file: `samples` of them, from number `begin` on, of the questions of these numbers."""

    numbers: tuple[int, ...]
    begin: int
    samples: int


def sample(job: config.Rejection, part: config.Samples, path: pathlib.Path):
    """Write attempts at each question into `path`, ordered by question and sample; those there are not asked again.

    They are `job.sampling.samples` each, or as many as the rule of `job.adaptive` takes, which asks in rounds, each of
    them a file in a folder beside. With `job.on` ray, pieces of the questions are files in such a folder as well, made
    by the hosts of a cluster. None of this changes an attempt: the number of its sample gives it its chance.
    """
    with contextlib.ExitStack() as stack:
        if job.on == "ray":
            ask = functools.partial(_on_cluster, job, part)
        else:
            ask = stack.enter_context(asking(job, part))
        questions, k = len(records.read(job.questions)), job.sampling.samples
        if job.adaptive.round:
            _in_rounds(job, part, questions, ask, path)
        else:
            ask(Piece(tuple(range(questions)), 0, k), path)


@contextlib.contextmanager
def asking(job: config.Rejection, part: config.Samples):
    """`ask(piece, path)`, which makes the file of a piece; the model is opened when an attempt is missing."""
    questions, sampling, settings = records.read(job.questions), _sampling(job, part), _settings(job, part)
    opened = functools.cache(lambda: _opened(job, part, sampling, questions))
    with contextlib.ExitStack() as stack:
        verifier = functools.cache(lambda: stack.enter_context(verify.Verifier()))

        def judge(record, text):
            return verifier()([verify.Case(record, text, "strict")])[0]

        def ask(piece: Piece, path) -> dict:
            wanted = dataclasses.replace(sampling, samples=piece.samples)

            def attempts(asked):
                engine, tokenizer = opened()
                return solve.attempts(asked, engine, tokenizer, job.template, wanted, judge=judge)

            some = questions if len(piece.numbers) == len(questions) else [questions[i] for i in piece.numbers]
            rows = solve.stored(
                path,
                settings,
                some,
                piece.samples,
                attempts,
                numbers=piece.numbers,
                begin=piece.begin,
                description=pathlib.Path(path).stem,
            )
            return {"rows": sum(1 for _ in rows)}

        yield ask


def _in_rounds(job, part, questions, ask, path):
    """Ask round after round, of each question as many samples as the rule takes, and put all in one file."""
    folder, rule, k = path.with_suffix(""), job.adaptive, job.sampling.samples
    keys: list[list[str | None]] = [[] for _ in range(questions)]
    parts, read = [], records.read(job.questions)
    while numbers := [i for i in range(questions) if adaptive.wanted(rule, keys[i], k) > len(keys[i])]:
        begin = len(parts) * rule.round
        # A round is of the questions that the rule asks further, so its file belongs to the rule.
        named = f"{part.name}-{len(parts):03}-by-{rule.round}-{rule.patience}-{job.filter}-{job.key}.jsonl"
        parts.append(folder / named)
        ask(Piece(tuple(numbers), begin, rule.round), parts[-1])
        with parts[-1].open("rb") as file:
            for row in map(json.loads, file):
                index, candidate = row["index"], candidates.of_attempt(row)
                keys[index].append(shard.judge(job, read[index], index, part.name, candidate)[1])
    solve.merge(path, parts)


def _on_cluster(job, part, piece, path):
    """Make the file of a piece by parts of it, on the hosts of a cluster, and put them together."""
    told, attempts = solve.about(path), len(piece.numbers) * piece.samples
    if told.get("complete") and told["settings"] == _settings(job, part) and told["cost"]["attempts"] == attempts:
        return
    count = min(job.shards, len(piece.numbers))
    cuts = [len(piece.numbers) * i // count for i in range(count + 1)]
    spans = [piece.numbers[cuts[i] : cuts[i + 1]] for i in range(count)]
    folder = path.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    places = {
        f"{path.stem}-{i:05}-of-{count:05}.jsonl": dataclasses.replace(piece, numbers=span)
        for i, span in enumerate(spans)
    }
    with metrics.progress(attempts, path.stem, "attempts") as bar:
        for _, facts in ray_cluster.hosted(functools.partial(asking, job, part), places, folder):
            bar.update(facts["rows"])
    solve.merge(path, [folder / name for name in places])


def _sampling(job, part):
    warmth = job.sampling.temperature if part.temperature is None else part.temperature
    return dataclasses.replace(job.sampling, temperature=warmth)


def _settings(job, part):
    """What attempts depend on; how many there are is not of it, as more may follow."""
    return {
        "model": _name(job, part),
        "questions": records.digest(job.questions),
        "template": job.template,
        "sampling": {**dataclasses.asdict(_sampling(job, part)), "samples": None},
    }


def _name(job, part):
    """What completions depend on: a server's model, or the files of one and its numbers."""
    if part.endpoint is not None:
        return part.endpoint.named()
    from mathjax import pretrained
    from mathjax.solve import model  # JAX is imported here, and starts where attempts are missing

    return {"sha256": model.fingerprint(pretrained.find(part.model)), "dtype": job.dtype}


def _opened(job, part, sampling, questions):
    """(what answers, its tokenizer): an engine with room for the longest question, or a server, which takes text."""
    if part.endpoint is not None:
        from mathjax.sample.endpoint import Endpoint

        return Endpoint(part.endpoint), None
    from mathjax import mesh
    from mathjax.solve import model

    mesh.split_cpu(job.mesh.cpu_devices)
    devices = mesh.make(job.mesh)
    return model.opened(part.model, devices, questions, [job.template], sampling, slots=job.slots, dtype=job.dtype)
