"""What is asked of a model and what comes back, whoever answers: an engine here or a server elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """A prompt to be completed. `id`, an integer from 0 below 2**32, names it and gives it its chance.

    `samples` are the numbers of the completions that are wanted; None: all that the sampling speaks of.
    """

    id: int
    prompt: Sequence[int] | str | Sequence[Mapping]  # ids; a text, or messages, where the other side takes them
    samples: Sequence[int] | None = None
    max_tokens: int | None = None  # of this one, where that is less than the sampling's


@dataclass(frozen=True, kw_only=True)
class Completion:
    """What a server gave back. `finish` is "stop", "length", or the server's own word.

    Ids are empty, and what else was not told is None: servers tell log-probabilities when asked, the number of tokens
    for each call, and so for a completion only where a call has one.
    """

    request: int
    sample: int
    text: str
    finish: str
    tokens: tuple[int, ...] = ()
    log_probabilities: tuple[float, ...] | None = None  # of each token, under the server's own model
    length: int | None = None  # tokens
