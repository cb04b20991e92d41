"""Every setting of every job, as typed dataclasses.

A recipe in `configs/` returns one of the jobs (`Arithmetic`, `Train`, `Evaluate`); absl flags change
single settings of it (`--config.optimizer.peak=2e-5`); `check` is called once, before the job starts.
The classes are mutable because `config_flags` sets attributes; no job changes its own settings.
"""

from mathjax.config.checks import check, from_dict, to_json
from mathjax.config.evaluate import MODES, Benchmark, Evaluate
from mathjax.config.make import (
    Adaptive,
    Arithmetic,
    Expressions,
    Filter,
    GSM8KEquations,
    PublicData,
    Rejection,
    Samples,
    WordProblems,
)
from mathjax.config.model import KERNELS, Lora, Model, Pretrained, RopeScaling, Tokenizer
from mathjax.config.sample import Endpoint, Sampling
from mathjax.config.train import Data, Mesh, Optimizer, Source, Train

__all__ = [
    "KERNELS",
    "MODES",
    "Adaptive",
    "Arithmetic",
    "Benchmark",
    "Data",
    "Endpoint",
    "Evaluate",
    "Expressions",
    "Filter",
    "GSM8KEquations",
    "Lora",
    "Mesh",
    "Model",
    "Optimizer",
    "Pretrained",
    "PublicData",
    "Rejection",
    "RopeScaling",
    "Samples",
    "Sampling",
    "Source",
    "Tokenizer",
    "Train",
    "WordProblems",
    "check",
    "from_dict",
    "to_json",
]
