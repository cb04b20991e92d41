"""Settings of sampling, by an engine here or a server elsewhere."""

import json
import re
from dataclasses import dataclass, field

from mathjax.config.checks import positive, require


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
        positive(self, "max_tokens", "samples")
        require(self.temperature >= 0, f"temperature must not be negative, got {self.temperature}")
        require(self.top_k >= 0, f"top_k must not be negative, got {self.top_k}")
        require(0 < self.top_p <= 1, f"top_p must lie in (0, 1], got {self.top_p}")
        require(0 <= self.min_p <= 1, f"min_p must lie in [0, 1], got {self.min_p}")
        require(all(self.stop), f"stop must not hold an empty text, got {self.stop}")
        require(0 <= self.seed < 2**32, f"seed must lie in [0, 2**32), got {self.seed}")


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
        positive(self, "concurrency", "timeout", "tries")
        try:
            extra = json.loads(self.extra)
        except ValueError:
            extra = None
        require(isinstance(extra, dict), f"extra must be a JSON object, got {self.extra!r}")
        fixed = sorted({"model", "prompt", "messages", "n", "stream"} & extra.keys())
        require(not fixed, f"extra must not hold {', '.join(fixed)}")
        for name in ("requests_per_minute", "tokens_per_minute", "choices"):
            require(getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}")
        place = r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?(/[^\s?#@]*)?"
        require(  # what is refused is not repeated: it may hold a password
            re.fullmatch(rf"https?://{place}", self.url) is not None,
            "url must be http(s)://HOST[:PORT][/PATH], without user, password or query; keys come from `key`",
        )
        require(self.model != "", "model must be the server's name for a model")
        require(
            re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)?", self.key) is not None,
            "key must be the name of an environment variable, and not a key itself",
        )
