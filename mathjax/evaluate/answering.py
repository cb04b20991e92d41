"""Who answers a benchmark, a model here or a server: asked as the mode says, its attempts stored as they come."""

import dataclasses
import functools
import hashlib
import json
import pathlib
from collections.abc import Iterable, Sequence

from mathjax import config, solve
from mathjax.evaluate import benchmarks, modes
from mathjax.records import Record
from mathjax.sample.endpoint import Endpoint
from mathjax.verify import Case, Verifier


class Answers:
    """Attempts at benchmarks by `source`, a `local.Model` or a `Server`, which is opened when one is missing.

    A source has `name`, which says all that its completions depend on, `open(records, templates)` with what may be
    asked, `about()` for the report, and `sources()`, the records that it was trained on.
    """

    def __init__(self, job: config.Evaluate, asked: dict[str, Sequence[Record]], verifier: Verifier, source):
        self.job, self.asked, self.verifier, self.source = job, asked, verifier, source
        calculator = job.sampling.calculator or job.mode == "calculator"
        self.sampling = dataclasses.replace(job.sampling, calculator=calculator)

    def attempts(self, folder: pathlib.Path, name: str, kind: str, found: Sequence[Record]) -> tuple[modes.Asked, dict]:
        """(the records as they were asked, each with its stored attempt; what they cost) of a benchmark.

        Attempts of other settings are in other files of the folder; none is lost.
        """
        costs = []

        def answer(stage, records, template):
            settings = self.settings(records, template)
            path = folder / f"{name}{'.' * bool(stage)}{stage}-{digest(settings)[:8]}.jsonl"
            made = functools.partial(self._attempts, template=template)
            rows = list(solve.stored(path, settings, records, self.sampling.samples, made, description=path.stem))
            costs.append(solve.about(path)["cost"])
            return rows

        judge = functools.partial(modes.judged, kind=kind, verifier=self.verifier)
        asked = modes.ask(self.job.mode, found, self.job.template, answer, judge)
        return asked, _sum(costs)

    def settings(self, found: Sequence[Record], template: str) -> dict:
        """All that completions depend on; protocols, slots and the mesh are not of it."""
        return {
            "model": self.source.name,
            "questions": benchmarks.digest(found),
            "template": template,
            "sampling": dataclasses.asdict(self.sampling),
        }

    def about(self) -> dict:
        """What the report says of who answered."""
        return self.source.about()

    def sources(self) -> list[str]:
        """The files of records that it was trained on, as far as it says so."""
        return self.source.sources()

    def _attempts(self, asked, template):
        engine, tokenizer = self._opened
        yield from solve.attempts(asked, engine, tokenizer, template, self.sampling, judge=self._judge)

    def _judge(self, record, text):
        return self.verifier([Case(record, text, "strict")])[0]

    @functools.cached_property
    def _opened(self):
        every = [record for found in self.asked.values() for record in found]
        return self.source.open(every, modes.templates(self.job.mode, self.job.template))


class Server:
    """The model of a server, as a source of answers."""

    def __init__(self, job: config.Evaluate):
        self.settings = job.endpoint
        self.name = job.endpoint.named()

    def open(self, found: Iterable[Record], templates: Iterable[str]) -> tuple[Endpoint, None]:
        """(what answers, no tokenizer: it takes text)."""
        return Endpoint(self.settings), None

    def about(self) -> dict:
        """Where it is; not the name of its key."""
        return {"endpoint": self.name}

    def sources(self) -> list[str]:
        """Of what trained it, nothing is known."""
        return []


def digest(settings: dict) -> str:
    """Names settings: sha256 of their JSON."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _sum(costs):
    """What several stages cost together."""
    found = {key: sum(cost[key] for cost in costs) for key in ("attempts", "tokens", "seconds")}
    return found | {"tokens_per_second": found["tokens"] / found["seconds"] if found["seconds"] else 0.0}
