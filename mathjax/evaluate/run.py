"""Solve the benchmarks of a recipe with a model, or take what another one answered; judge, explain, and report."""

import dataclasses
import hashlib
import importlib.metadata
import json
import pathlib
import platform
import time

from mathjax import config, files, metrics, prompts, verify
from mathjax.answers.protocols import PROTOCOLS
from mathjax.evaluate import benchmarks, contamination, corpus, given, judged, modes, page, report
from mathjax.verify import Verifier


def run(job: config.Evaluate, workdir) -> dict:
    """Write `attempts/*.jsonl`, `judged/NAME.jsonl`, `report.json` and `report.html` into `workdir`; the report.

    Attempts are stored as they come: a run that was stopped goes on from there, and what is there of the same model,
    questions and settings is not asked again. FileNotFoundError and ValueError, before any long work, for what is not
    there or cannot be.
    """
    begun, workdir = time.perf_counter(), pathlib.Path(workdir)
    _check(job)
    job = asked_by(job)
    asked = {benchmark.name: benchmarks.read(benchmark) for benchmark in job.benchmarks}
    corpora = corpus.recipes(job.corpus)
    rules = {benchmark.name: _rules(job, benchmark, asked[benchmark.name]) for benchmark in job.benchmarks}
    with Verifier() as verifier:
        source = _source(job, asked, verifier)
        found, costs = {}, {}
        for benchmark in job.benchmarks:
            name = benchmark.name
            attempts, costs[name] = source.attempts(workdir / "attempts", name, benchmark.kind, asked[name])
            found[name] = _judged(attempts, rules[name], verifier, workdir / "judged" / f"{name}.jsonl")
    seen = _seen(job, source.sources(), corpora, asked)
    results = {}
    for benchmark in job.benchmarks:
        name, kind = benchmark.name, benchmarks.BENCHMARKS[benchmark.kind]
        parts, overlaps = seen(name)
        results[name] = report.summarise(found[name], groups=kind.groups, parts=parts, seed=job.seed) | {
            "kind": benchmark.kind,
            "warning": kind.warning,
            "cost": costs[name],
            "contamination": overlaps,
            "data": {"path": benchmark.path, "sha256": benchmarks.digest(asked[name])},
        }
    means = benchmarks.means({result["kind"]: result["accuracy"] for result in results.values()})
    whole = {"title": job.title, "recipe": dataclasses.asdict(job)} | source.about()
    whole |= {"versions": versions(), "seconds": time.perf_counter() - begun, "means": means, "benchmarks": results}
    write(workdir, whole, {name: [one.line() for one in attempts[: job.shown]] for name, attempts in found.items()})
    print(report.table(results))
    for name, result in results.items():
        if result["warning"]:
            print(f"warning: {name}: {result['warning']}")
        if told := result["contamination"]:
            print(f"{name}: {told['questions']:,} questions overlap with {told['records']:,} records of training")
    print(f"report: {workdir / 'report.html'}")
    return whole


def write(workdir, whole: dict, attempts: dict):
    """Write report.json, and report.html with the attempts to look at."""
    with files.whole(pathlib.Path(workdir) / "report.json") as file:
        file.write(json.dumps(whole, indent=2, ensure_ascii=True).encode() + b"\n")
    with files.whole(pathlib.Path(workdir) / "report.html") as file:
        file.write(page.render(whole, attempts).encode("utf-8", "replace"))


def asked_by(job: config.Evaluate) -> config.Evaluate:
    """The job with the template, stop strings and limit of tokens of the protocol it is to be asked by, if any.

    Hybrid decoding is asked by MAmmoTH's stop strings where the recipe has none.
    """
    name = job.asked_by or ("mammoth" if job.mode == "hybrid" and not job.sampling.stop else "")
    if not name:
        return job
    protocol = PROTOCOLS[name]
    sampling = dataclasses.replace(job.sampling, stop=list(protocol.stop))
    if job.asked_by and protocol.max_tokens:
        sampling = dataclasses.replace(sampling, max_tokens=protocol.max_tokens)
    template = protocol.template if job.asked_by and protocol.template else job.template
    return dataclasses.replace(job, template=template, sampling=sampling)


def _source(job, asked, verifier):
    """Who answers: a model here, a server, or a file of what another one answered."""
    if job.completions:
        return given.Answers(job)
    from mathjax.evaluate import answering  # JAX starts here

    if job.endpoint is not None:
        return answering.Answers(job, asked, verifier, answering.Server(job))
    from mathjax.evaluate import local

    return answering.Answers(job, asked, verifier, local.Model(job))


def _rules(job, benchmark, found):
    """The protocols of each style that a benchmark's questions may be asked in; ValueError where one has none."""
    styles = {record.style for record in (*modes.styled(job.mode, found), *(found if job.mode == "hybrid" else ()))}
    rules = {style: benchmarks.protocols(benchmark.kind, style, job.protocols) for style in sorted(styles)}
    for style, names in rules.items():
        if not names:
            known = ", ".join(verify.PROTOCOLS[style])
            raise ValueError(
                f"config.protocols: none of {', '.join(job.protocols)} judges benchmark {benchmark.name}, "
                f"whose questions are of style {style!r}; there are {known}"
            )
    return rules


def _judged(attempts, rules, verifier, path):
    """The attempts judged, and stored so that runs can be compared."""
    with metrics.progress(len(attempts), f"judging {path.stem}", "attempts") as bar:
        found = judged.judge(((record, row, rules[record.style]) for record, row in attempts), verifier, bar)
    with files.whole(path) as file:
        for one in found:
            file.write(json.dumps(one.line()).encode() + b"\n")
    return found


def _seen(job, sources, corpora, asked):
    """What tells, of a benchmark's name, its parts as far as training is known, and its overlaps with the records."""
    sources = job.records or sources
    covers = corpus.covers(corpora or corpus.recipes([], sources))
    sources = sources if job.contamination and (job.records or _there(sources)) else []
    exact = {name: found for name, found in asked.items() if found[0].style == "arithmetic"}
    shown = corpus.shown({one.question for found in exact.values() for one in found}, sources) if sources else None
    flat = [(name, i) for name, found in asked.items() if name not in exact for i in range(len(found))]
    overlaps, count = {name: {} for name in asked}, 0
    if sources and flat:
        matches, count = contamination.overlaps([asked[name][i].question for name, i in flat], sources)
        for place, found in matches.items():
            name, i = flat[place]
            overlaps[name][i] = found

    def seen(name):
        if name in exact:
            return corpus.parts(covers, shown), None
        if not count:
            return {}, None
        met = {asked[name][i].question for i in overlaps[name]}
        return {"clean": lambda question: question not in met}, contamination.summary(overlaps[name], count)

    return seen


def _there(sources):
    """Whether the files of records that a checkpoint names are where they were."""
    try:
        for source in sources:
            files.find(source)
    except FileNotFoundError as error:
        print(f"contamination is not looked for: {error}")
        return False
    return True


def _check(job):
    """Raise ValueError for names that are not in the tables."""
    known = sorted({name for names in verify.PROTOCOLS.values() for name in names})
    for name in job.protocols:
        if name not in known:
            raise ValueError(f"config.protocols: no protocol {name!r}; there are {', '.join(known)}")
    if job.asked_by and job.asked_by not in PROTOCOLS:
        raise ValueError(f"config.asked_by: no protocol {job.asked_by!r}; there are {', '.join(PROTOCOLS)}")
    if job.template not in prompts.TEMPLATES:
        raise ValueError(f"config.template: no template {job.template!r}; there are {', '.join(prompts.TEMPLATES)}")
    for path in job.records:
        files.find(path)
    if job.completions and not pathlib.Path(job.completions).is_file():
        raise FileNotFoundError(f"config.completions: there is no file {job.completions}")


def versions() -> dict[str, str]:
    """Of what the numbers depend on; `judging` is the sha256 of the rules by which answers are found and compared."""
    found = {name: importlib.metadata.version(name) for name in ("jax", "flax", "numpy")}
    judging, here = hashlib.sha256(), pathlib.Path(verify.__file__).parents[1]
    for path in sorted((*here.glob("answers/*.py"), *here.glob("verify/*.py"), here / "evaluate" / "diagnose.py")):
        judging.update(path.read_bytes())
    return found | {"python": platform.python_version(), "mathjax": _version(), "judging": judging.hexdigest()}


def _version():
    try:
        return importlib.metadata.version("mathjax")
    except importlib.metadata.PackageNotFoundError:
        return "from source"
