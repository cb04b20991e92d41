"""Settings of what makes records."""

import re
from dataclasses import dataclass, field

from mathjax.config.checks import one_of, positive, require, share
from mathjax.config.sample import Endpoint, Sampling
from mathjax.config.train import Mesh


@dataclass(kw_only=True)
class GSM8KEquations:
    """The distinct equations `<<lhs=rhs>>` of GSM8K's solutions, as arithmetic records."""

    path: str  # test.jsonl or train.jsonl as published

    def check(self):
        require(self.path != "", "path must name GSM8K's test.jsonl or train.jsonl")


@dataclass(kw_only=True)
class PublicData:
    """A published data set as records."""

    name: str  # a row of data_gen.sources.table.DATA_SETS: how it is read, its licence, its rows
    path: str  # a file, folder or glob; or a file on the Hugging Face hub, hub:OWNER/NAME/FILE
    split: str = "train"  # which of its splits that is
    revision: str = "main"  # of the hub: a branch, a tag or a commit
    rows: int = 0  # that must be there; 0: those of the published split, -1: any number
    on_malformed: str = "stop"  # at a row that is not of the published form; quarantine: set it apart, and count it

    def check(self):
        one_of(self, "on_malformed", ("stop", "quarantine"))
        require(self.path != "", "path must name a file, a folder, a glob, or hub:OWNER/NAME/FILE")
        require(self.rows >= -1, f"rows must be a number of rows, 0 or -1, got {self.rows}")


@dataclass(kw_only=True)
class Samples:
    """Completions of one model: in files, or to be sampled."""

    name: str  # of the model, in records and reports
    path: str = ""  # stored attempts (.jsonl), or the glob of RFT's raw generations, a file for each seed; or else
    model: str = ""  # one to be sampled: what Pretrained.source may be
    endpoint: Endpoint | None = None  # or a server to be asked
    temperature: float | None = None  # in place of the sampling's

    def check(self):
        given = [name for name in ("path", "model", "endpoint") if getattr(self, name)]
        require(len(given) == 1, f"one of path, model and endpoint must be given, got {', '.join(given) or 'none'}")
        named = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.@-]*", self.name) is not None
        require(named, f"name must be letters, digits and _.@-, as a file is called by it; got {self.name!r}")


@dataclass(kw_only=True)
class Adaptive:
    """Samples of a question taken in rounds, fewer where they bring nothing new, more where none is right."""

    round: int = 0  # samples at a time; 0: all at once, the same number for each question
    patience: int = 2  # rounds without a new path, after which a question that is solved is left
    most: int = 0  # samples of one that is not; 0: no more than of the others

    def check(self):
        positive(self, "patience")
        for name in ("round", "most"):
            require(getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}")
        require(self.round > 0 or self.most == 0, f"most={self.most} needs rounds: round must be positive")


@dataclass(kw_only=True)
class Rejection:
    """Rejection sampling (RFT): many solutions of each question, the right and distinct ones kept beside its own."""

    questions: str  # records with answers
    samples: list[Samples]  # in the order in which their paths are looked at
    sampling: Sampling = field(default_factory=lambda: Sampling(temperature=0.7, top_k=50, samples=100))
    adaptive: Adaptive = field(default_factory=Adaptive)
    template: str = "rft"
    filter: str = "rft"  # right answer and right equations; or verdict: as judged when it was sampled
    key: str = "equations"  # what makes two paths the same; terms: operands in any order; program: the syntax tree
    gold: bool = True  # the question's own solution first
    cap: int = 0  # the most paths kept of a question; 0: all
    published: bool = False  # write RFT's own files too
    shards: int = 8  # files of records
    slots: int = 64  # of the engine, where something is to be sampled
    mesh: Mesh = field(default_factory=Mesh)  # of the devices that the engine is on, those of one host
    dtype: str = "float32"
    on: str = "local"  # where is sampled and shards are made; ray: on the Ray cluster of RAY_ADDRESS, or of this node
    share: str = ""  # one of several jobs, as of a Slurm array: 0/16 to 15/16; "": all of the work

    def check(self):
        one_of(self, "on", ("local", "ray"))
        one_of(self, "filter", ("rft", "verdict"))
        for name, samples in (("sampling.samples", self.sampling.samples), ("adaptive.most", self.adaptive.most)):
            whole = samples % max(1, self.adaptive.round) == 0
            require(whole, f"{name}={samples} must be a multiple of adaptive.round={self.adaptive.round}")
        one_of(self, "key", ("equations", "terms", "program"))
        one_of(self, "dtype", ("float32", "bfloat16"))
        positive(self, "shards", "slots")
        require(self.cap >= 0, f"cap must not be negative, got {self.cap}")
        names = [part.name for part in self.samples]
        require(len(names) > 0, "samples must name at least one model")
        require(len(set(names)) == len(names), f"samples must have names of their own, got {', '.join(names)}")
        there = all(part.path for part in self.samples)
        require(there or not self.share, f"share={self.share!r} needs completions that are there: samples with a path")


@dataclass(kw_only=True)
class Expressions:
    """A kind of arithmetic question: which numbers, operators and brackets it is drawn from, and how often."""

    weight: float = 1.0
    operations: tuple[int, int] = (1, 3)  # fewest and most, each number of them as often

    add: float = 1.0  # weights of the operators
    subtract: float = 1.0
    multiply: float = 1.0
    divide: float = 1.0
    power: float = 0.0

    integer: float = 1.0  # weights of the ways to write a number
    decimal: float = 0.0
    point: float = 0.0  # decimals below 1 without their 0, as .5
    percent: float = 0.0
    fraction: float = 0.0  # (a/b) in lowest terms
    negative: float = 0.0  # the share of numbers with a minus sign

    digits: tuple[int, int] = (1, 3)  # before the point; each number of digits as often
    factor_digits: tuple[int, int] = (1, 3)  # of the right side of *
    divisor_digits: tuple[int, int] = (1, 2)  # of the right side of /
    base_digits: tuple[int, int] = (1, 1)  # of the left side of ^
    fraction_digits: tuple[int, int] = (1, 2)  # of the longer one of a and b in (a/b)
    exponent: tuple[int, int] = (0, 3)  # lowest and highest
    places: tuple[int, int] = (1, 2)  # after the point of a decimal
    quotient_places: int = 0  # most places of a quotient beyond those of its dividend

    brackets: float = 0.0  # the share of questions with brackets, where there are two operations or more
    limit: int = 12  # most digits of any number of a chain
    below_zero: bool = True  # whether a result may be negative

    def check(self):
        positive(self, "weight")
        for name, least, most in (
            ("operations", 1, 26),
            ("digits", 1, 12),
            ("factor_digits", 1, 12),
            ("divisor_digits", 1, 12),
            ("base_digits", 1, 12),
            ("fraction_digits", 1, 3),
            ("exponent", -9, 99),
            ("places", 1, 6),
        ):
            value = getattr(self, name)
            require(
                len(value) == 2 and least <= value[0] <= value[1] <= most,
                f"{name} must be (lowest, highest) from {least} to {most}, got {value!r}",
            )
        for names in (
            ("add", "subtract", "multiply", "divide", "power"),
            ("integer", "decimal", "point", "percent", "fraction"),
        ):
            weights = [getattr(self, name) for name in names]
            require(
                min(weights) >= 0 and max(weights) > 0,
                f"{', '.join(names)} must not be negative, and not all 0; got {weights}",
            )
        share(self, "negative", "brackets")
        require(0 <= self.quotient_places <= 6, f"quotient_places must lie in [0, 6], got {self.quotient_places}")
        require(1 <= self.limit <= 40, f"limit must lie in [1, 40], got {self.limit}")


@dataclass(kw_only=True)
class Arithmetic:
    """Make arithmetic questions with exact answers, worked out step by step or given at once (MathGLM)."""

    parts: list[Expressions]
    seed: int = 0
    train: int  # records
    heldout: int = 1_000
    test: int = 1_000
    shards: int = 8  # files of train
    mode: str = "steps"  # or direct: the answer alone
    division: str = "decimal"  # quotients that end, as decimals; or fraction: all values as whole numbers and (a/b)
    train_only: int = 3  # questions of at most so many characters, as 7*8, are in train alone
    on: str = "local"  # where shards are made; ray: on the Ray cluster of RAY_ADDRESS, or of this node
    share: str = ""  # one of several jobs, as of a Slurm array: 0/16 to 15/16; "": all of the work

    def check(self):
        one_of(self, "on", ("local", "ray"))
        positive(self, "train", "shards")
        one_of(self, "mode", ("steps", "direct"))
        one_of(self, "division", ("decimal", "fraction"))
        require(len(self.parts) > 0, "parts must hold at least one Expressions")
        for name in ("heldout", "test", "train_only"):
            require(getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}")
        require(self.shards <= self.train, f"shards={self.shards} must not be more than train={self.train}")


@dataclass(kw_only=True)
class Filter:
    """Records without duplicates, and without the questions of benchmarks."""

    sources: list[str]  # files of records, in the order in which the first of equal ones stays
    against: list[str] = field(default_factory=list)  # records of benchmarks, whose questions are to be left out
    kinds: list[str] = field(default_factory=lambda: ["exact", "masked", "half"])  # of overlap; ngram: 13 words alike
    near: float = 0.0  # the share of runs of 5 words from which two records are the same; 0: only all words

    def check(self):
        share(self, "near")
        require(len(self.sources) > 0, "sources must name at least one file of records")
        for kind in self.kinds:
            known = ("exact", "masked", "half", "ngram")
            require(kind in known, f"kinds must be of {', '.join(known)}; got {kind!r}")


@dataclass(kw_only=True)
class WordProblems:
    """Make word problems of GSM8K's kind with checked solutions, from templates."""

    seed: int = 0
    train: int  # records
    heldout: int = 1_000  # of train's templates, with numbers of their own
    test: int = 1_000  # templates and numbers that train never has
    shards: int = 8  # files of train
    style: str = "cot"  # solutions in words with <<..>>; or pot: programs
    templates: list[str] = field(default_factory=list)  # these stories alone, in all splits; []: each split its own
    steps: tuple[int, int] = (1, 8)  # fewest and most, in a template's first way to solve it
    numbers: float = 1.0  # how far the numbers reach, where stories allow it; 1: as far as in daily life
    decimals: bool = True  # also stories with decimal numbers
    distractors: float = 0.25  # the share of questions with a sentence that does not matter
    vocabulary: int = 0  # tokens of a tokenizer that is learned from train, and written beside it; 0: none

    def check(self):
        positive(self, "train", "shards", "numbers")
        one_of(self, "style", ("cot", "pot"))
        share(self, "distractors")
        require(
            self.vocabulary == 0 or self.vocabulary >= 300,
            f"vocabulary must be 0 or 300 and more, got {self.vocabulary}",
        )
        for name in ("heldout", "test"):
            require(getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}")
        require(self.shards <= self.train, f"shards={self.shards} must not be more than train={self.train}")
        require(
            len(self.steps) == 2 and 1 <= self.steps[0] <= self.steps[1] <= 8,
            f"steps must be (fewest, most) from 1 to 8, got {self.steps!r}",
        )
