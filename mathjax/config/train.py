"""Settings of training: what is learned from, by which optimizer, on which devices."""

from dataclasses import dataclass, field

from mathjax.config.checks import one_of, positive, require, share
from mathjax.config.model import Lora, Model, Pretrained, Tokenizer


@dataclass(kw_only=True)
class Source:
    """Record files that are drawn from together: a glob or a path, and how often beside the others."""

    path: str
    weight: float = 1.0

    def check(self):
        positive(self, "weight")


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
        positive(self, "rows", "length")
        one_of(self, "objective", ("all", "solution"))
        require(len(self.sources) > 0, "sources must name at least one file of records")


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
    momentum_dtype: str = "float32"  # of the first moment; bfloat16 takes half its memory (second moments stay float32)

    def check(self):
        one_of(self, "name", ("adamw", "muon"))
        one_of(self, "momentum_dtype", ("float32", "bfloat16"))
        one_of(self, "schedule", ("cosine", "linear", "constant", "inverse_sqrt"))
        positive(self, "peak", "epsilon")
        share(self, "warmup", "end", "b1", "b2")
        require(self.weight_decay >= 0, f"weight_decay must not be negative, got {self.weight_decay}")
        require(self.clip >= 0, f"clip must not be negative, got {self.clip}")


@dataclass(kw_only=True)
class Mesh:
    """How many devices along each axis; -1, once at most: all that are left."""

    data: int = -1
    fsdp: int = 1
    tensor: int = 1
    cpu_devices: int = 1  # that a CPU counts as; each has its own thread and a copy of what is not sharded

    def check(self):
        positive(self, "cpu_devices")
        sizes = (self.data, self.fsdp, self.tensor)
        require(all(size == -1 or size > 0 for size in sizes), f"axes must be positive or -1, got {sizes}")
        require(sizes.count(-1) <= 1, f"one axis at most may be -1, got {sizes}")


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
    offload: bool = False  # the optimizer's state lies in the memory of the host between steps
    attention: str = "auto"  # the kernel: auto, xla, chunked (long rows), splash (TPU), triton (GPU)
    seed: int = 0
    log_every: int = 10
    save_every: int = 200
    keep: int = 2  # the last checkpoints kept
    keep_best: int = 1  # and those of lowest held-out loss
    tensorboard: bool = False
    wandb: str = ""  # a project of Weights & Biases that the metrics go to as well
    profile_steps: list[int] = field(default_factory=list)  # [first, last]: traced into the folder profile/
    anomaly: str = "stop"  # a step that is not finite, or a spike: stop; skip; rollback, and on past its batch
    spike: float = 0.0  # standard deviations of loss or gradient norm above its running mean that make one; 0: none
    rollback: int = 100  # steps to go back at least

    def check(self):
        positive(self, "steps", "log_every", "save_every", "keep", "heldout_batches", "rollback")
        one_of(self, "anomaly", ("stop", "skip", "rollback"))
        require(self.spike >= 0, f"spike must not be negative, got {self.spike}")
        require(
            not self.profile_steps
            or (len(self.profile_steps) == 2 and 1 <= self.profile_steps[0] <= self.profile_steps[1]),
            f"profile_steps must be [first, last], counted from 1, or []; got {self.profile_steps}",
        )
        one_of(self, "dtype", ("float32", "bfloat16"))
        one_of(self, "remat", ("none", "layers", "products"))
        one_of(self, "attention", ("auto", "xla", "chunked", "splash", "triton"))
        require(self.keep_best >= 0, f"keep_best must not be negative, got {self.keep_best}")
        require(self.accumulate >= 0, f"accumulate must not be negative, got {self.accumulate}")
        require(
            self.data.rows % max(self.accumulate, 1) == 0,
            f"accumulate={self.accumulate} must divide data.rows={self.data.rows}",
        )
        one = (self.pretrained is None) != (self.model is None)
        require(one, "one of model and pretrained must be given, and only one")
        told = f"got kind={self.tokenizer.kind!r}, source={self.tokenizer.source!r}"
        if self.pretrained is None:
            require(self.lora is None, "lora needs a pretrained model to adapt")
            named = self.tokenizer.kind != "pretrained" or self.tokenizer.source != ""
            require(named, f"tokenizer.source must name one beside a new model; {told}")
            return
        known = self.tokenizer.kind == "pretrained"
        require(known, f"tokenizer.kind must be 'pretrained' beside a pretrained model; {told}")
        if self.lora is None:
            held = self.pretrained.dtype
            require(held == "float32", f"pretrained.dtype must be float32 where all params are trained, got {held}")
        else:
            new = self.tokenizer.special
            require(not new, f"tokenizer.special must be left out with lora, which would not train them; got {new}")
