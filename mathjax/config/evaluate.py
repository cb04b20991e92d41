"""Settings of evaluation."""

import re
from dataclasses import dataclass, field

from mathjax.config.checks import one_of, positive, require
from mathjax.config.sample import Endpoint, Sampling
from mathjax.config.train import Mesh

MODES = ("", "cot", "pot", "hybrid", "calculator")


@dataclass(kw_only=True)
class Benchmark:
    """Questions to be measured on: a row of the report."""

    name: str
    path: str
    kind: str = "arithmetic"  # a row of evaluate.benchmarks.BENCHMARKS: how the file is read and its answers grouped
    rows: int = 0  # that must be there; 0: those of the published set, -1: any number
    ids: str = ""  # a file of ids, one a line: only these questions
    limit: int = 0  # the first so many; 0: all

    def check(self):
        require(
            re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", self.name) is not None,
            f"name must be letters, digits, '_', '.' or '-', as a file is called by it; got {self.name!r}",
        )
        require(self.limit >= 0, f"limit must not be negative, got {self.limit}")
        require(self.rows >= -1, f"rows must be a number of rows, 0 or -1, got {self.rows}")


@dataclass(kw_only=True)
class Evaluate:
    """Solve benchmarks with a model, or judge what another one answered, and report."""

    checkpoint: str = ""  # a run or a step of it, a folder of Hugging Face, a GGUF file, a name on the hub; or else
    endpoint: Endpoint | None = None  # a server; or else
    completions: str = ""  # a file of completions made elsewhere, a line each
    benchmarks: list[Benchmark]
    protocols: list[str] = field(default_factory=list)  # the first is the headline; []: strict, then the published
    mode: str = ""  # how questions are asked: cot, pot, hybrid (MAmmoTH's), calculator; "": each in its own style
    template: str = "plain"  # of all modes but hybrid, which has MAmmoTH's
    asked_by: str = ""  # a protocol whose template, stop strings and limit of tokens are taken in place of these
    sampling: Sampling = field(default_factory=Sampling)  # of `samples` attempts: pass@k and votes
    slots: int = 64
    corpus: list[str] = field(default_factory=list)  # folders whose recipes say what is covered; []: of the training
    contamination: bool = True  # look for the questions in the records it was trained on
    records: list[str] = field(default_factory=list)  # these records; []: those that the checkpoint names
    shown: int = 10_000  # attempts that can be looked at in the report, of each benchmark
    mesh: Mesh = field(default_factory=Mesh)
    dtype: str = "float32"
    seed: int = 0  # of the intervals
    title: str = "Evaluation"

    def check(self):
        positive(self, "slots")
        one_of(self, "dtype", ("float32", "bfloat16"))
        one_of(self, "mode", MODES)
        require(self.shown >= 0, f"shown must not be negative, got {self.shown}")
        asked = [self.checkpoint != "", self.endpoint is not None, self.completions != ""]
        require(sum(asked) == 1, "one of checkpoint, endpoint and completions must be given, and only one")
        names = [benchmark.name for benchmark in self.benchmarks]
        require(len(names) > 0, "benchmarks must name at least one")
        require(len(set(names)) == len(names), f"benchmarks must have names of their own, got {', '.join(names)}")
        require(
            self.mode != "hybrid" or self.sampling.samples == 1,
            f"hybrid asks each question once, got sampling.samples={self.sampling.samples}",
        )
        require(
            self.sampling.samples == 1 or self.sampling.temperature > 0 or self.completions != "",
            f"{self.sampling.samples} greedy samples are all the same: set sampling.temperature",
        )
