"""The door that asks, as a user meets it: one question, a conversation, and what it refuses."""

import pathlib
import subprocess
import sys

import jax
import pytest

from mathjax import config, mesh, pretrained
from mathjax.sample.engine import Engine, Request

SCRIPT = pathlib.Path(__file__).parents[1] / "scripts" / "ask.py"


def ask(*arguments, typed=""):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], input=typed.encode(), capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture(scope="module")
def written(tiny_model):
    """What the tiny model greedily writes after a text."""
    found = pretrained.load(str(tiny_model))
    alone = mesh.make(config.Mesh(), jax.devices()[:1])
    engine = Engine(found.model, found.params, alone, slots=1, length=64, eos_id=found.tokenizer.stop_ids)

    def write(text, tokens):
        [made] = engine.generate([Request(0, found.tokenizer.encode(text))], config.Sampling(max_tokens=tokens))
        return found.tokenizer.decode(made.tokens)

    return write


def test_a_reply_is_shown_as_it_comes_and_judged(tiny_model, written):
    wanted = written("1+1=", 20)
    told = [f"--model={tiny_model}", "--question=1+1=", "--max_tokens=20", "--length=64"]
    status, out, err = ask(*told)
    assert (status, out) == (0, wanted + "\n")
    assert "[20 tokens, the first after" in err and "cut off by --max_tokens" in err
    status, out, _ = ask(*told, "--answer=two")
    assert status == 3 and out.startswith(wanted) and "not right (" in out and "the true one two" in out


def test_a_conversation_goes_on_until_it_is_ended(tiny_model, written):
    typed = "2+2=\n\n/answer 4\n/dance\n3+3=\n/quit\n4+4=\n"
    status, out, err = ask(f"--model={tiny_model}", "--max_tokens=6", "--length=64", typed=typed)
    assert status == 0 and "commands: /answer" in err and "template plain" in err
    first, judged, second = out.rstrip("\n").rsplit("\n", 2) if out.count("\n") == 3 else ("", "", "")
    assert (first, second) == (written("2+2=", 6), written("3+3=", 6)), out
    assert "the true one 4" in judged


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--model=/no/where", "--question=1"], 1, "no such file or folder"),
        (["--model=x", "--answer=1"], 2, "--answer needs a --question"),
        (["--model=x", "--question=1", "--protocol=kind"], 2, "--protocol must be one of"),
        (["--model=x", "1+1="], 2, "not understood: 1+1="),
    ],
)
def test_what_is_wrong_is_said(arguments, status, message):
    found, _, err = ask(*arguments)
    assert found == status and message in err and "Traceback" not in err
