"""Every setting of every job, as typed dataclasses.

A recipe in `configs/` returns one of the jobs (`Arithmetic`, `Train`, `Evaluate`); absl flags change
single settings of it (`--config.optimizer.peak=2e-5`); `check` is called once, before the job starts.
The classes are mutable because `config_flags` sets attributes; no job changes its own settings.
"""

import dataclasses
import json
import re
import types
import typing
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class RopeScaling:
    """Rotary frequencies slowed down for longer contexts: all of them alike, or the slow ones alone (Llama 3.1)."""

    kind: str  # linear, llama3
    factor: float
    low: float = 1.0  # llama3: waves that fit less often into `original` are slowed by `factor`,
    high: float = 4.0  # those that fit more often are left alone, and those between are slowed in part
    original: int = 8192  # the context before it was scaled

    def check(self):
        _one_of(self, "kind", ("linear", "llama3"))
        _positive(self, "factor", "low", "high", "original")
        _require(self.low < self.high, f"low must be below high, got low={self.low}, high={self.high}")


KERNELS = (  # of a layer, by their paths
    *(f"attention/{name}" for name in ("query", "key", "value", "out")),
    *(f"mlp/{name}" for name in ("gate", "up", "down")),
)


@dataclass(kw_only=True)
class Lora:
    """Adapters of low rank (2106.09685): kernel + alpha/rank a b, where a and b alone are trained."""

    rank: int = 16
    alpha: float = 32.0
    targets: list[str] = field(default_factory=lambda: ["attention/.*", "mlp/.*"])  # patterns of whole paths in a layer

    def check(self):
        _positive(self, "rank", "alpha")
        for target in self.targets:
            try:
                re.compile(target)
            except re.error as error:
                raise ValueError(f"targets: {target!r} is no regular expression: {error}") from None
            found = any(re.fullmatch(target, path) for path in KERNELS)
            _require(found, f"targets: {target!r} matches none of {', '.join(KERNELS)}")
        _require(len(self.targets) > 0, f"targets must name some of {', '.join(KERNELS)}")

    def reaches(self, path: str) -> bool:
        """Whether the kernel at this path in a layer has an adapter."""
        return any(re.fullmatch(target, path) for target in self.targets)


@dataclass(kw_only=True)
class Model:
    """The shape of a decoder; enough, with the params, to call it."""

    vocab_size: int = 0  # 0: as many as the tokenizer has
    vocab_multiple: int = 1  # tables have rows for the next multiple; those beyond vocab_size are never chosen
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    mlp_width: int
    rope_base: float = 10_000.0
    rope_scaling: RopeScaling | None = None
    context: int = 0  # the most tokens of a text that it was made for; 0: not known
    norm_epsilon: float = 1e-5
    tied_embeddings: bool = True
    qkv_bias: bool = False  # Qwen2
    qk_norm: bool = False  # Qwen3
    initializer_range: float = 0.02
    lora: Lora | None = None  # adapters beside its kernels

    def check(self):
        _positive(self, "layers", "width", "heads", "kv_heads", "head_dim", "mlp_width", "rope_base", "norm_epsilon")
        _require(self.heads % self.kv_heads == 0, f"heads={self.heads} must be a multiple of kv_heads={self.kv_heads}")
        _require(self.head_dim % 2 == 0, f"head_dim must be even for rotary positions, got {self.head_dim}")
        _positive(self, "vocab_multiple")
        for name in ("vocab_size", "context"):
            _require(getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}")

    @property
    def rows(self) -> int:
        """How many rows the tables of embedding and head have."""
        return -(-self.vocab_size // self.vocab_multiple) * self.vocab_multiple


@dataclass(kw_only=True)
class Pretrained:
    """A model to begin with: its shape and params, from wherever they are."""

    source: str  # a run or checkpoint of mathjax, a folder of Hugging Face, a GGUF file, or a name on the hub
    revision: str = ""  # of a name on the hub; "": the newest
    vocab_multiple: int = 1  # as in Model
    dtype: str = "float32"  # that params are held in; bfloat16 for those that are not trained

    def check(self):
        _positive(self, "vocab_multiple")
        _one_of(self, "dtype", ("float32", "bfloat16"))
        _require(self.source != "", "source must name a folder, a GGUF file, or a model on the hub")


@dataclass(kw_only=True)
class Tokenizer:
    """Which tokenizer: `character` is MathGLM's, a token for each digit and symbol; `pretrained` comes with a model."""

    kind: str = "character"
    source: str = ""  # pretrained: a folder, a GGUF file, or a name on the hub; "": that of the model begun with
    revision: str = ""  # of a name on the hub; "": the newest
    special: list[str] = field(default_factory=list)  # tokens added to it

    def check(self):
        _one_of(self, "kind", ("character", "pretrained"))
        told = {"source": self.source, "revision": self.revision, "special": self.special}
        given = ", ".join(name for name, value in told.items() if value)
        _require(self.kind == "pretrained" or not given, f"{given} must be left out where kind is 'character'")


@dataclass(kw_only=True)
class Source:
    """Record files that are drawn from together: a glob or a path, and how often beside the others."""

    path: str
    weight: float = 1.0

    def check(self):
        _positive(self, "weight")


@dataclass(kw_only=True)
class Data:
    """A mixture of sources as packed batches of `rows` x `length` tokens."""

    sources: list[Source]
    rows: int
    length: int
    objective: str = "all"  # all: every token counts (MathGLM); solution: the solution and its end
    template: str = "plain"  # a name in prompts.TEMPLATES
    seed: int = 0

    def check(self):
        _positive(self, "rows", "length")
        _one_of(self, "objective", ("all", "solution"))
        _require(len(self.sources) > 0, "sources must name at least one file of records")


@dataclass(kw_only=True)
class Optimizer:
    """AdamW or Muon with a warm-up and a schedule; the learning rate peaks at `peak`."""

    name: str = "adamw"
    peak: float
    schedule: str = "cosine"
    warmup: float = 0.03  # the share of all steps
    end: float = 0.0  # the last learning rate, as a share of the peak
    b1: float = 0.9
    b2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    clip: float = 1.0  # the largest global norm of a gradient; 0: no clipping

    def check(self):
        _one_of(self, "name", ("adamw", "muon"))
        _one_of(self, "schedule", ("cosine", "linear", "constant", "inverse_sqrt"))
        _positive(self, "peak", "epsilon")
        _share(self, "warmup", "end", "b1", "b2")
        _require(self.weight_decay >= 0, f"weight_decay must not be negative, got {self.weight_decay}")
        _require(self.clip >= 0, f"clip must not be negative, got {self.clip}")


@dataclass(kw_only=True)
class Mesh:
    """How many devices along each axis; -1, once at most: all that are left."""

    data: int = -1
    fsdp: int = 1
    tensor: int = 1
    cpu_devices: int = 1  # that a CPU counts as; each has its own thread and a copy of what is not sharded

    def check(self):
        _positive(self, "cpu_devices")
        sizes = (self.data, self.fsdp, self.tensor)
        _require(all(size == -1 or size > 0 for size in sizes), f"axes must be positive or -1, got {sizes}")
        _require(sizes.count(-1) <= 1, f"one axis at most may be -1, got {sizes}")


@dataclass(kw_only=True)
class Train:
    """Fit a model to a mixture of records."""

    model: Model | None = None  # a new one; or else
    pretrained: Pretrained | None = None  # one to go on with
    lora: Lora | None = None  # adapters to train in place of all params
    tokenizer: Tokenizer = field(default_factory=Tokenizer)
    data: Data
    heldout: Data | None = None  # its loss is measured with every checkpoint
    heldout_batches: int = 8
    optimizer: Optimizer
    mesh: Mesh = field(default_factory=Mesh)
    steps: int
    accumulate: int = 0  # parts that a batch is worked off in; 0: one, on a CPU as many as fit its cache
    dtype: str = "bfloat16"  # of matrix products; params stay float32
    remat: str = "none"
    seed: int = 0
    log_every: int = 10
    save_every: int = 200
    keep: int = 2  # the last checkpoints kept
    keep_best: int = 1  # and those of lowest held-out loss
    tensorboard: bool = False

    def check(self):
        _positive(self, "steps", "log_every", "save_every", "keep", "heldout_batches")
        _one_of(self, "dtype", ("float32", "bfloat16"))
        _one_of(self, "remat", ("none", "layers", "products"))
        _require(self.keep_best >= 0, f"keep_best must not be negative, got {self.keep_best}")
        _require(self.accumulate >= 0, f"accumulate must not be negative, got {self.accumulate}")
        _require(
            self.data.rows % max(self.accumulate, 1) == 0,
            f"accumulate={self.accumulate} must divide data.rows={self.data.rows}",
        )
        one = (self.pretrained is None) != (self.model is None)
        _require(one, "one of model and pretrained must be given, and only one")
        told = f"got kind={self.tokenizer.kind!r}, source={self.tokenizer.source!r}"
        if self.pretrained is None:
            _require(self.lora is None, "lora needs a pretrained model to adapt")
            named = self.tokenizer.kind != "pretrained" or self.tokenizer.source != ""
            _require(named, f"tokenizer.source must name one beside a new model; {told}")
            return
        known = self.tokenizer.kind == "pretrained"
        _require(known, f"tokenizer.kind must be 'pretrained' beside a pretrained model; {told}")
        if self.lora is None:
            held = self.pretrained.dtype
            _require(held == "float32", f"pretrained.dtype must be float32 where all params are trained, got {held}")
        else:
            new = self.tokenizer.special
            _require(not new, f"tokenizer.special must be left out with lora, which would not train them; got {new}")


@dataclass(kw_only=True)
class Sampling:
    """How the next token is chosen. temperature 0 is greedy; top_k 0, top_p 1 and min_p 0 leave all tokens in."""

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0  # the least probability of a token, as a share of the likeliest one's
    max_tokens: int = 256
    stop: list[str] = field(default_factory=list)  # texts that end a completion
    calculator: bool = False  # the value of each `<<expression=` is worked out and written for the model
    samples: int = 1
    seed: int = 0

    def check(self):
        _positive(self, "max_tokens", "samples")
        _require(self.temperature >= 0, f"temperature must not be negative, got {self.temperature}")
        _require(self.top_k >= 0, f"top_k must not be negative, got {self.top_k}")
        _require(0 < self.top_p <= 1, f"top_p must lie in (0, 1], got {self.top_p}")
        _require(0 <= self.min_p <= 1, f"min_p must lie in [0, 1], got {self.min_p}")
        _require(all(self.stop), f"stop must not hold an empty text, got {self.stop}")
        _require(0 <= self.seed < 2**32, f"seed must lie in [0, 2**32), got {self.seed}")


@dataclass(kw_only=True)
class Endpoint:
    """A server with OpenAI's protocol: vLLM, SGLang, llama.cpp, a hosted model."""

    url: str  # up to where /completions or /chat/completions follows, as http://localhost:8000/v1
    model: str  # the server's name for it
    key: str = ""  # the environment variable that holds the key; "": none is sent
    concurrency: int = 64  # calls on their way at a time
    timeout: float = 600.0  # seconds from a call to the end of its answer
    tries: int = 8  # of one call, where the server is busy, fails or cannot be reached
    requests_per_minute: int = 0  # 0: no limit
    tokens_per_minute: int = 0  # prompts and completions; 0: no limit
    choices: int = 0  # most samples of a question in one call; 0: all; 1: each with a seed of its own
    log_probabilities: bool = False  # ask for those of each token
    extra: str = "{}"  # a JSON object that is added to each call; null takes out what would be sent

    def named(self) -> dict:
        """What completions depend on, for the settings they are stored with."""
        names = ("url", "model", "choices", "log_probabilities", "extra")
        return {name: getattr(self, name) for name in names}

    def check(self):
        _positive(self, "concurrency", "timeout", "tries")
        try:
            extra = json.loads(self.extra)
        except ValueError:
            extra = None
        _require(isinstance(extra, dict), f"extra must be a JSON object, got {self.extra!r}")
        fixed = sorted({"model", "prompt", "messages", "n", "stream"} & extra.keys())
        _require(not fixed, f"extra must not hold {', '.join(fixed)}")
        for name in ("requests_per_minute", "tokens_per_minute", "choices"):
            _require(getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}")
        place = r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?(/[^\s?#@]*)?"
        _require(  # what is refused is not repeated: it may hold a password
            re.fullmatch(rf"https?://{place}", self.url) is not None,
            "url must be http(s)://HOST[:PORT][/PATH], without user, password or query; keys come from `key`",
        )
        _require(self.model != "", "model must be the server's name for a model")
        _require(
            re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)?", self.key) is not None,
            "key must be the name of an environment variable, and not a key itself",
        )


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
        _require(
            re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", self.name) is not None,
            f"name must be letters, digits, '_', '.' or '-', as a file is called by it; got {self.name!r}",
        )
        _require(self.limit >= 0, f"limit must not be negative, got {self.limit}")
        _require(self.rows >= -1, f"rows must be a number of rows, 0 or -1, got {self.rows}")


MODES = ("", "cot", "pot", "hybrid", "calculator")


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
        _positive(self, "slots")
        _one_of(self, "dtype", ("float32", "bfloat16"))
        _one_of(self, "mode", MODES)
        _require(self.shown >= 0, f"shown must not be negative, got {self.shown}")
        asked = [self.checkpoint != "", self.endpoint is not None, self.completions != ""]
        _require(sum(asked) == 1, "one of checkpoint, endpoint and completions must be given, and only one")
        names = [benchmark.name for benchmark in self.benchmarks]
        _require(len(names) > 0, "benchmarks must name at least one")
        _require(len(set(names)) == len(names), f"benchmarks must have names of their own, got {', '.join(names)}")
        _require(
            self.mode != "hybrid" or self.sampling.samples == 1,
            f"hybrid asks each question once, got sampling.samples={self.sampling.samples}",
        )
        _require(
            self.sampling.samples == 1 or self.sampling.temperature > 0 or self.completions != "",
            f"{self.sampling.samples} greedy samples are all the same: set sampling.temperature",
        )


@dataclass(kw_only=True)
class GSM8KEquations:
    """The distinct equations `<<lhs=rhs>>` of GSM8K's solutions, as arithmetic records."""

    path: str  # test.jsonl or train.jsonl as published

    def check(self):
        _require(self.path != "", "path must name GSM8K's test.jsonl or train.jsonl")


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
        _one_of(self, "on_malformed", ("stop", "quarantine"))
        _require(self.path != "", "path must name a file, a folder, a glob, or hub:OWNER/NAME/FILE")
        _require(self.rows >= -1, f"rows must be a number of rows, 0 or -1, got {self.rows}")


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
        _require(len(given) == 1, f"one of path, model and endpoint must be given, got {', '.join(given) or 'none'}")
        named = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.@-]*", self.name) is not None
        _require(named, f"name must be letters, digits and _.@-, as a file is called by it; got {self.name!r}")


@dataclass(kw_only=True)
class Rejection:
    """Rejection sampling (RFT): many solutions of each question, the right and distinct ones kept beside its own."""

    questions: str  # records with answers
    samples: list[Samples]  # in the order in which their paths are looked at
    sampling: Sampling = field(default_factory=lambda: Sampling(temperature=0.7, top_k=50, samples=100))
    template: str = "rft"
    filter: str = "rft"  # right answer and right equations; or verdict: as judged when it was sampled
    key: str = "equations"  # what makes two paths the same; terms: operands in any order; program: the syntax tree
    gold: bool = True  # the question's own solution first
    cap: int = 0  # the most paths kept of a question; 0: all
    published: bool = False  # write RFT's own files too
    shards: int = 8  # files of records
    slots: int = 64  # of the engine, where something is to be sampled
    dtype: str = "float32"
    on: str = "local"  # where shards are made; ray: on the Ray cluster of RAY_ADDRESS, or of this node
    share: str = ""  # one of several jobs, as of a Slurm array: 0/16 to 15/16; "": all of the work

    def check(self):
        _one_of(self, "on", ("local", "ray"))
        _one_of(self, "filter", ("rft", "verdict"))
        _one_of(self, "key", ("equations", "terms", "program"))
        _one_of(self, "dtype", ("float32", "bfloat16"))
        _positive(self, "shards", "slots")
        _require(self.cap >= 0, f"cap must not be negative, got {self.cap}")
        names = [part.name for part in self.samples]
        _require(len(names) > 0, "samples must name at least one model")
        _require(len(set(names)) == len(names), f"samples must have names of their own, got {', '.join(names)}")
        there = all(part.path for part in self.samples)
        _require(there or not self.share, f"share={self.share!r} needs completions that are there: samples with a path")


@dataclass(kw_only=True)
class Filter:
    """Records without duplicates, and without the questions of benchmarks."""

    sources: list[str]  # files of records, in the order in which the first of equal ones stays
    against: list[str] = field(default_factory=list)  # records of benchmarks, whose questions are to be left out
    kinds: list[str] = field(default_factory=lambda: ["exact", "masked", "half"])  # of overlap; ngram: 13 words alike
    near: float = 0.0  # the share of runs of 5 words from which two records are the same; 0: only all words

    def check(self):
        _share(self, "near")
        _require(len(self.sources) > 0, "sources must name at least one file of records")
        for kind in self.kinds:
            known = ("exact", "masked", "half", "ngram")
            _require(kind in known, f"kinds must be of {', '.join(known)}; got {kind!r}")


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
        _positive(self, "weight")
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
            _require(
                len(value) == 2 and least <= value[0] <= value[1] <= most,
                f"{name} must be (lowest, highest) from {least} to {most}, got {value!r}",
            )
        for names in (
            ("add", "subtract", "multiply", "divide", "power"),
            ("integer", "decimal", "point", "percent", "fraction"),
        ):
            weights = [getattr(self, name) for name in names]
            _require(
                min(weights) >= 0 and max(weights) > 0,
                f"{', '.join(names)} must not be negative, and not all 0; got {weights}",
            )
        _share(self, "negative", "brackets")
        _require(0 <= self.quotient_places <= 6, f"quotient_places must lie in [0, 6], got {self.quotient_places}")
        _require(1 <= self.limit <= 40, f"limit must lie in [1, 40], got {self.limit}")


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
        _one_of(self, "on", ("local", "ray"))
        _positive(self, "train", "shards")
        _one_of(self, "mode", ("steps", "direct"))
        _one_of(self, "division", ("decimal", "fraction"))
        _require(len(self.parts) > 0, "parts must hold at least one Expressions")
        for name in ("heldout", "test", "train_only"):
            _require(getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}")
        _require(self.shards <= self.train, f"shards={self.shards} must not be more than train={self.train}")


@dataclass(kw_only=True)
class WordProblems:
    """Make word problems of GSM8K's kind with checked solutions, from templates."""

    seed: int = 0
    train: int  # records
    heldout: int = 1_000  # of train's templates, with numbers of their own
    test: int = 1_000  # templates and numbers that train never has
    shards: int = 8  # files of train
    style: str = "cot"  # solutions in words with <<..>>; or pot: programs
    steps: tuple[int, int] = (1, 8)  # fewest and most, in a template's first way to solve it
    numbers: float = 1.0  # how far the numbers reach, where stories allow it; 1: as far as in daily life
    decimals: bool = True  # also stories with decimal numbers
    distractors: float = 0.25  # the share of questions with a sentence that does not matter

    def check(self):
        _positive(self, "train", "shards", "numbers")
        _one_of(self, "style", ("cot", "pot"))
        _share(self, "distractors")
        for name in ("heldout", "test"):
            _require(getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}")
        _require(self.shards <= self.train, f"shards={self.shards} must not be more than train={self.train}")
        _require(
            len(self.steps) == 2 and 1 <= self.steps[0] <= self.steps[1] <= 8,
            f"steps must be (fewest, most) from 1 to 8, got {self.steps!r}",
        )


def check(job, path="config"):
    """Raise ValueError naming the setting if a value of `job`, or of anything in it, has a wrong type or range."""
    hints = typing.get_type_hints(type(job))
    for entry in dataclasses.fields(job):
        value = getattr(job, entry.name)
        where = f"{path}.{entry.name}"
        _check_type(value, hints[entry.name], where)
        for name, part in _parts(value, where):
            check(part, name)
    try:
        job.check()
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def to_json(job) -> str:
    """The settings as indented JSON, for the folder of a run; keys in the order of the class."""
    return json.dumps(dataclasses.asdict(job), indent=2)


def from_dict(kind, values: dict, path="config"):
    """A config of class `kind` from what `to_json` wrote; ValueError for a name that the class does not have."""
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ValueError(f"{path}: {kind.__name__} has no setting {', '.join(unknown)}; it has {', '.join(hints)}")
    try:
        return kind(**{name: _from_json(hints[name], value, f"{path}.{name}") for name, value in values.items()})
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from None


def _from_json(hint, value, path):
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(part for part in arguments if part is not type(None))
        return _from_json(hint, value, path)
    if origin in (list, tuple) and isinstance(value, list):
        parts = [_from_json(arguments[0], part, f"{path}[{i}]") for i, part in enumerate(value)]
        return origin(parts)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return from_dict(hint, value, path)
    return value


def _parts(value, where):
    if dataclasses.is_dataclass(value):
        yield where, value
    elif isinstance(value, (list, tuple)):
        for i, part in enumerate(value):
            yield from _parts(part, f"{where}[{i}]")


def _check_type(value, hint, where):
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        if not any(_has_type(value, part) for part in arguments):
            raise ValueError(f"{where} must be {hint}, got {value!r}")
    elif origin in (list, tuple):
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{where} must be a list, got {value!r}")
        for i, part in enumerate(value):
            _check_type(part, arguments[0], f"{where}[{i}]")
    elif not _has_type(value, hint):
        raise ValueError(f"{where} must be {getattr(hint, '__name__', hint)}, got {value!r}")


def _has_type(value, hint):
    kind = typing.get_origin(hint) or hint
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _require(holds, message):
    if not holds:
        raise ValueError(message)


def _positive(job, *names):
    for name in names:
        _require(getattr(job, name) > 0, f"{name} must be positive, got {getattr(job, name)}")


def _share(job, *names):
    for name in names:
        _require(0 <= getattr(job, name) <= 1, f"{name} must lie in [0, 1], got {getattr(job, name)}")


def _one_of(job, name, choices):
    _require(getattr(job, name) in choices, f"{name} must be one of {', '.join(choices)}; got {getattr(job, name)!r}")
