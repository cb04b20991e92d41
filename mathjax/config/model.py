"""Settings of models: their shapes, where they come from, what tokenizes their text."""

import re
from dataclasses import dataclass, field

from mathjax.config.checks import one_of, positive, require

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
        positive(self, "rank", "alpha")
        for target in self.targets:
            try:
                re.compile(target)
            except re.error as error:
                raise ValueError(f"targets: {target!r} is no regular expression: {error}") from None
            found = any(re.fullmatch(target, path) for path in KERNELS)
            require(found, f"targets: {target!r} matches none of {', '.join(KERNELS)}")
        require(len(self.targets) > 0, f"targets must name some of {', '.join(KERNELS)}")

    def reaches(self, path: str) -> bool:
        """Whether the kernel at this path in a layer has an adapter."""
        return any(re.fullmatch(target, path) for target in self.targets)


@dataclass(kw_only=True)
class RopeScaling:
    """Rotary frequencies slowed down for longer contexts: all of them alike, or the slow ones alone (Llama 3.1)."""

    kind: str  # linear, llama3
    factor: float
    low: float = 1.0  # llama3: waves that fit less often into `original` are slowed by `factor`,
    high: float = 4.0  # those that fit more often are left alone, and those between are slowed in part
    original: int = 8192  # the context before it was scaled

    def check(self):
        one_of(self, "kind", ("linear", "llama3"))
        positive(self, "factor", "low", "high", "original")
        require(self.low < self.high, f"low must be below high, got low={self.low}, high={self.high}")


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
        positive(self, "layers", "width", "heads", "kv_heads", "head_dim", "mlp_width", "rope_base", "norm_epsilon")
        require(self.heads % self.kv_heads == 0, f"heads={self.heads} must be a multiple of kv_heads={self.kv_heads}")
        require(self.head_dim % 2 == 0, f"head_dim must be even for rotary positions, got {self.head_dim}")
        positive(self, "vocab_multiple")
        for name in ("vocab_size", "context"):
            require(getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}")

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
        positive(self, "vocab_multiple")
        one_of(self, "dtype", ("float32", "bfloat16"))
        require(self.source != "", "source must name a folder, a GGUF file, or a model on the hub")


@dataclass(kw_only=True)
class Tokenizer:
    """Which tokenizer: `character` is MathGLM's, a token for each digit and symbol; `pretrained` comes with a model."""

    kind: str = "character"
    source: str = ""  # pretrained: a folder, a GGUF file, or a name on the hub; "": that of the model begun with
    revision: str = ""  # of a name on the hub; "": the newest
    special: list[str] = field(default_factory=list)  # tokens added to it

    def check(self):
        one_of(self, "kind", ("character", "pretrained"))
        told = {"source": self.source, "revision": self.revision, "special": self.special}
        given = ", ".join(name for name, value in told.items() if value)
        require(self.kind == "pretrained" or not given, f"{given} must be left out where kind is 'character'")
