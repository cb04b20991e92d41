"""Completions of a model here or of a server, stored as they come."""

import dataclasses
import pathlib

from mathjax import config, prompts, records, solve, verify

ROUND = 64  # lengths of the cache are multiples of this, so that few are compiled


def sample(job: config.Rejection, part: config.Samples, path: pathlib.Path):
    """Write `job.sampling.samples` attempts at each question into `path`; those that are there are not asked again.

    JAX starts here, and only where attempts of a model are missing.
    """
    questions = records.read(job.questions)
    warmth = job.sampling.temperature if part.temperature is None else part.temperature
    sampling = dataclasses.replace(job.sampling, temperature=warmth)
    settings = {
        "model": _name(part),
        "questions": records.digest(job.questions),
        "template": job.template,
        "sampling": {**dataclasses.asdict(sampling), "samples": None},  # more of them may follow
    }

    def attempts(asked):
        engine, tokenizer = _opened(job, part, sampling, questions)
        with verify.Verifier() as verifier:

            def judge(record, text):
                return verifier([verify.Case(record, text, "strict")])[0]

            yield from solve.attempts(asked, engine, tokenizer, job.template, sampling, judge=judge)

    for _ in solve.stored(path, settings, questions, sampling.samples, attempts, description=part.name):
        pass


def _name(part):
    """What completions depend on: the model, by where it lies."""
    if part.endpoint is not None:
        return part.endpoint.named()
    from mathjax import pretrained

    return {"path": str(pretrained.find(part.model))}


def _opened(job, part, sampling, questions):
    """(what answers, its tokenizer): an engine with room for the longest question, or a server, which takes text."""
    if part.endpoint is not None:
        from mathjax.sample.endpoint import Endpoint

        return Endpoint(part.endpoint), None
    from mathjax import mesh, pretrained
    from mathjax.sample.engine import Engine

    devices = mesh.make(config.Mesh())
    found = pretrained.load(part.model, devices)
    tokenizer = found.tokenizer
    longest = max(len(prompts.encode(job.template, record, tokenizer)) for record in questions)
    engine = Engine(
        found.model,
        found.params,
        devices,
        slots=job.slots,
        length=-(-(longest + sampling.max_tokens) // ROUND) * ROUND,
        prompt=longest,
        eos_id=tokenizer.stop_ids,
        pad_id=tokenizer.pad_id,
        dtype=job.dtype,
    )
    return engine, tokenizer
