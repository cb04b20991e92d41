"""Completions from any server with OpenAI's protocol, asked for as those of the engine are.

    endpoint = Endpoint(config.Endpoint(url="http://localhost:8000/v1", model="Qwen/Qwen3-8B"))
    for completion in endpoint.generate(requests, sampling):
        ...

A prompt that is a text, or ids, goes to /completions; one of messages to /chat/completions, whose server has the chat
template. All samples of a request are asked for in one call if the server gives several choices a call, which one call
for a token finds out (or as many at a time as the setting `choices` allows), and each in a call of its own if it does
not, or if they are greedy, which some servers refuse.
The seed of a call comes from the seed of the sampling, the request and the first of its samples: a server that honours
seeds answers the same again, whatever else it is asked. `top_k` and `min_p` are sent where they are set; they are not
of OpenAI's protocol, but most servers know them. What a server wants in another way, the setting `extra` says:
`{"max_tokens": null, "max_completion_tokens": 900}`, `{"chat_template_kwargs": {"enable_thinking": false}}`.
"""

import hashlib
import json
import os
import queue
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mathjax import config
from mathjax.sample.request import Completion, Request
from mathjax.sample.service import Ended, Pace, Session

CHARACTERS = 3  # of a token, when a prompt's tokens are guessed for the limit of tokens per minute


@dataclass(kw_only=True)
class Counts:
    """What an endpoint has given since it was made; the rates follow from two readings. Tokens are the server's."""

    prompt_tokens: int = 0
    tokens: int = 0
    completions: int = 0
    calls: int = 0  # answered
    retries: int = 0


@dataclass(frozen=True)
class _Call:
    request: Request
    samples: tuple[int, ...]


class Endpoint:
    """A server and how it is to be called.

    ValueError where the environment has no key of the name that the settings give.
    """

    def __init__(self, settings: config.Endpoint):
        config.check(settings, "endpoint")
        self.settings, self.counts = settings, Counts()
        self._secret, self._extra = _secret(settings.key), json.loads(settings.extra)
        self._paces = Pace(settings.requests_per_minute), Pace(settings.tokens_per_minute)
        self._several: dict[str, bool] = {}  # whether a path gives several choices a call

    def chat(self, messages: list[dict]) -> list[dict]:
        """The prompt for messages: themselves, since the server has the chat template."""
        return messages

    def check(self, request: Request):
        """ValueError, naming the request, if it cannot be asked; whether it is too long, the server will say."""
        if not 0 <= request.id < 2**32:
            raise ValueError(f"request {request.id}: the id must lie in [0, 2**32)")
        if len(request.prompt) == 0:
            raise ValueError(f"request {request.id}: the prompt is empty")

    def generate(self, requests: Iterable[Request], sampling: config.Sampling) -> Iterator[Completion]:
        """`sampling.samples` completions of each request, or those it names, each as soon as it is there.

        Requests are drawn as calls come back, `concurrency` of which are on their way. Closing the iterator ends them
        at once. After an error, of a bad request or of the server, no more are drawn, and what is on its way is given
        out before it is raised. PermissionError and ValueError for what the server refuses, ConnectionError for what it
        did not answer in as many tries as the settings allow.
        """
        config.check(sampling, "sampling")
        if sampling.calculator:
            raise ValueError("sampling.calculator: a server writes by itself; the calculator needs an engine here")
        return self._run(iter(requests), sampling)

    def _run(self, requests, sampling):
        s = self.settings
        session = Session(s.url, self._secret, timeout=s.timeout, tries=s.tries)
        pool = ThreadPoolExecutor(s.concurrency, thread_name_prefix="endpoint")
        done, running, again, errors = queue.SimpleQueue(), 0, deque(), []
        calls = self._calls(requests, sampling, session, errors)
        try:
            while True:
                while not errors and running < s.concurrency and (call := _next(again, calls)):
                    pool.submit(_into, done, self._ask, session, call, sampling)
                    running += 1
                if not running:
                    break
                call, found, error = done.get()
                running -= 1
                if error is not None:
                    errors.append(error)
                    session.leave()
                    continue
                completions, usage = found
                self._count(completions, usage)
                yield from completions
                if left := call.samples[len(completions) :]:
                    again.append(_Call(call.request, left))
        finally:
            session.end()
            pool.shutdown(cancel_futures=True)
            session.close()
            self.counts.retries += session.retries
        for error in errors:
            if not isinstance(error, Ended):
                raise error

    def _calls(self, requests, sampling, session, errors):
        """The calls that ask for all samples; an error ends them, and is left in `errors`."""
        try:
            for request in requests:
                self.check(request)
                samples = tuple(range(sampling.samples) if request.samples is None else request.samples)
                several = self._gives(request, samples, sampling, session)
                size = (self.settings.choices or len(samples)) if several else 1
                for start in range(0, len(samples), size):
                    yield _Call(request, samples[start : start + size])
        except (ValueError, OSError) as error:
            errors.append(error)

    def _gives(self, request, samples, sampling, session):
        """Whether several samples of a request can be asked for in one call; found out once, for one token."""
        if len(samples) == 1 or self.settings.choices == 1 or not sampling.temperature:
            return False
        path = _path(request)
        if path not in self._several:
            try:
                self._several[path] = len(self._ask(session, _Call(request, samples[:2]), sampling, 1)[0]) == 2
            except ValueError:  # refused, perhaps for the two
                self._ask(session, _Call(request, samples[:1]), sampling, 1)
                self._several[path] = False
        return self._several[path]

    def _ask(self, session, call, sampling, most=None):
        """(completions, usage) of one call; fewer completions than were asked for, if the server gave fewer."""
        requests, tokens = self._paces
        max_tokens = min(filter(None, (most, call.request.max_tokens, sampling.max_tokens)))
        guess = _length(call.request.prompt) + max_tokens * len(call.samples)

        def pause():
            return max(requests.take(1), tokens.take(guess))

        def read(answer):
            told = answer.get("usage") or {}
            usage = {name: int(told.get(name) or 0) for name in ("prompt_tokens", "completion_tokens")}
            choices = sorted(answer["choices"], key=lambda choice: choice.get("index") or 0)[: len(call.samples)]
            if not choices:
                raise ValueError("no choices")
            length = usage["completion_tokens"] if len(answer["choices"]) == 1 else None
            pairs = zip(call.samples, choices, strict=False)
            return [_completion(call.request.id, sample, choice, length) for sample, choice in pairs], usage

        seed = _seed(sampling.seed, call.request.id, call.samples[0])
        body = self._body(call, sampling, max_tokens, seed)
        try:
            completions, usage = session.post(_path(call.request), body, read, pause=pause, seed=seed)
        except ValueError as error:
            raise ValueError(f"request {call.request.id}: {error}") from None
        if used := sum(usage.values()):
            tokens.give_back(guess - used)
        return completions, usage

    def _body(self, call, sampling, max_tokens, seed):
        chat = _path(call.request) == CHAT
        body = {"model": self.settings.model, "messages" if chat else "prompt": call.request.prompt}
        body |= {"max_tokens": max_tokens, "temperature": sampling.temperature, "top_p": sampling.top_p, "seed": seed}
        body |= {name: value for name in ("top_k", "min_p", "stop") if (value := getattr(sampling, name))}
        body = {name: value for name, value in (body | self._extra).items() if value is not None}
        if len(call.samples) > 1:
            body["n"] = len(call.samples)
        if self.settings.log_probabilities:
            body["logprobs"] = True if chat else 1
        return body

    def _count(self, completions, usage):
        self.counts.calls += 1
        self.counts.completions += len(completions)
        self.counts.prompt_tokens += usage["prompt_tokens"]
        self.counts.tokens += usage["completion_tokens"]


TEXT, CHAT = "/completions", "/chat/completions"


def _path(request):
    """Where a request goes: messages are mappings, ids are integers."""
    return CHAT if not isinstance(request.prompt, str) and isinstance(request.prompt[0], dict) else TEXT


def _next(again, calls):
    return again.popleft() if again else next(calls, None)


def _into(done, ask, session, call, sampling):
    """Put (call, what it gave, error) into the queue: a thread's work."""
    try:
        done.put((call, ask(session, call, sampling), None))
    except Exception as error:
        done.put((call, None, error))


def _completion(request, sample, choice, length):
    """A choice of either protocol; ValueError, TypeError or KeyError if it is neither's."""
    text = choice["message"]["content"] or "" if "message" in choice else choice["text"]
    if not isinstance(text, str):
        raise TypeError(f"a choice has a text, got {text!r}")
    told = choice.get("logprobs") or {}
    content, values = told.get("content"), told.get("token_logprobs")
    if content is not None:
        values = [token["logprob"] for token in content]
    log_probabilities = None if values is None else tuple(float(value) for value in values)
    return Completion(
        request=request,
        sample=sample,
        text=text,
        finish=choice.get("finish_reason") or "unknown",
        log_probabilities=log_probabilities,
        length=length if log_probabilities is None else len(log_probabilities),
    )


def _seed(seed, request, sample):
    """A number from 0 below 2**31, which every server takes."""
    found = hashlib.blake2b(f"{seed} {request} {sample}".encode(), digest_size=4).digest()
    return int.from_bytes(found) & (2**31 - 1)


def _length(prompt):
    """About how many tokens a prompt has, for the limit of tokens per minute alone."""
    if isinstance(prompt, str):
        return len(prompt) // CHARACTERS + 1
    if isinstance(prompt[0], dict):
        return sum(_length(message["content"]) for message in prompt)
    return len(prompt)


def _secret(name):
    """The key in the environment; ValueError, which never holds it, if there is none or it cannot be sent."""
    if not name:
        return ""
    secret = os.environ.get(name, "").strip()
    if not secret:
        raise ValueError(f"endpoint.key: the environment has no {name}, or it is empty")
    if not (secret.isascii() and secret.isprintable() and " " not in secret):
        raise ValueError(f"endpoint.key: what {name} holds is no key: it has blanks, or characters that are not ASCII")
    return secret
