"""Ask a model one question, or talk with it; the answer appears as it is written.

    python scripts/ask.py --model=runs/gsm8k/train --question="How many clips are 48/2 + 48?" [--answer=72]
    python scripts/ask.py --model=SmolLM2.gguf                                            a conversation

MODEL is a run or a checkpoint of mathjax, a folder of Hugging Face, a GGUF file, or a name on the hub. With --answer,
or in a conversation with /answer 72, the last reply is judged. A conversation ends with /quit or the end of the input,
and begins anew with /new; where the template is no chat, each question stands alone.

Exit status: 0 done (and right, where there is an --answer), 1 there is no such model or it cannot be asked, 2 the
command line is wrong, 3 the reply is not right, 130 interrupted.
"""

import logging
import sys
import time

from absl import app, flags

from mathjax import config, prompts
from mathjax.records import STYLES, Record
from mathjax.verify import PROTOCOLS, verify

_MODEL = flags.DEFINE_string("model", None, "the model")
_REVISION = flags.DEFINE_string("revision", "", "of a name on the hub: a branch, a tag or a commit")
_QUESTION = flags.DEFINE_string("question", None, "the question; without one, a conversation begins")
_ANSWER = flags.DEFINE_string("answer", None, "the true answer, which the reply is held against")
_TEMPLATE = flags.DEFINE_enum(
    "template", None, list(prompts.TEMPLATES), "by default that of the training, or chat where there is a chat template"
)
_STYLE = flags.DEFINE_enum("style", None, list(STYLES), "how the reply is judged; by default as the model writes")
_PROTOCOL = flags.DEFINE_string("protocol", "strict", "whose rules it is judged by")
_TEMPERATURE = flags.DEFINE_float("temperature", 0.0, "0: the likeliest token each time", lower_bound=0)
_TOP_K = flags.DEFINE_integer("top_k", 0, "the so many likeliest tokens; 0: all", lower_bound=0)
_TOP_P = flags.DEFINE_float("top_p", 1.0, "the fewest tokens with that probability in all; 1: all")
_MIN_P = flags.DEFINE_float("min_p", 0.0, "the least probability, as a share of the likeliest token's")
_STOP = flags.DEFINE_multi_string("stop", [], "a text that ends the reply; may be given several times")
_CALCULATOR = flags.DEFINE_bool("calculator", False, "write the value of each <<expression= for the model")
_TOKENS = flags.DEFINE_integer("max_tokens", 512, "of a reply", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "of the chance; each reply of a conversation takes the next")
_LENGTH = flags.DEFINE_integer("length", 2048, "tokens of a prompt and its reply; less where the model's context is", 2)
_DTYPE = flags.DEFINE_enum("dtype", "float32", ["float32", "bfloat16"], "of params and products")


def main(arguments):
    style = _STYLE.value or "cot"
    if len(arguments) > 1:
        return _end(2, f"not understood: {' '.join(arguments[1:])}; see --help")
    if _PROTOCOL.value not in PROTOCOLS[style]:
        return _end(2, f"--protocol must be one of {', '.join(PROTOCOLS[style])}; got {_PROTOCOL.value!r}")
    if _ANSWER.value is not None and _QUESTION.value is None:
        return _end(2, "--answer needs a --question")
    try:
        return ask() if _QUESTION.value is not None else talk()
    except (OSError, ValueError, ModuleNotFoundError) as error:
        return _end(1, str(error))
    except KeyboardInterrupt:
        return _end(130, "interrupted")


def ask():
    """One question; the exit status."""
    one = Asker()
    reply = one.reply([_QUESTION.value])
    if _ANSWER.value is None:
        return 0
    return 0 if one.judge(_QUESTION.value, reply, _ANSWER.value) else 3


def talk():
    """A conversation with whoever types; the exit status."""
    one, said = Asker(), []
    print(f"template {one.template}; /answer VALUE judges the last reply, /new forgets, /quit ends", file=sys.stderr)
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return 0
        command, _, value = line.partition(" ")
        if command == "/quit":
            return 0
        if command == "/new":
            said = []
        elif command == "/answer" and said and value:
            one.judge(said[-2], said[-1], value)
        elif command.startswith("/") and command[1:].isalpha():
            print("commands: /answer VALUE (after a reply), /new, /quit", file=sys.stderr)
        elif line:
            try:
                said = [*said, line, one.reply([*said, line])]
            except ValueError as error:
                print(error, file=sys.stderr)


class Asker:
    """A model that is ready to be asked."""

    def __init__(self):
        logging.getLogger("jax").setLevel(logging.WARNING)
        from mathjax import mesh, pretrained  # JAX starts here: after the command line was found right
        from mathjax.sample import guide
        from mathjax.sample.engine import Engine

        devices = mesh.make(config.Mesh(data=1, fsdp=1, tensor=-1))
        found = pretrained.load(_MODEL.value, devices, revision=_REVISION.value, dtype=_DTYPE.value)
        self.tokenizer, self.count = found.tokenizer, 0
        self.template = _TEMPLATE.value or _template(found)
        self.length = min(_LENGTH.value, found.model.context or _LENGTH.value)
        self.sampling = config.Sampling(
            temperature=_TEMPERATURE.value,
            top_k=_TOP_K.value,
            top_p=_TOP_P.value,
            min_p=_MIN_P.value,
            max_tokens=min(_TOKENS.value, self.length - 1),
            stop=_STOP.value,
            calculator=_CALCULATOR.value,
            seed=_SEED.value,
        )
        self.guide = guide.build(self.sampling, self.tokenizer)
        ends = {"eos_id": self.tokenizer.stop_ids, "pad_id": self.tokenizer.pad_id}
        self.engine = Engine(found.model, found.params, devices, slots=1, length=self.length, **ends, steps=4)

    def reply(self, said: list[str]) -> str:
        """The reply to what was said by turns, shown as it comes."""
        from mathjax.sample.engine import Completion, Request

        ids, shown, text, early, times = [], 0, "", 0, [time.perf_counter()]
        asked = Request(self.count, self._prompt(said))
        self.count += 1
        for piece in self.engine.stream([asked], self.sampling, self.guide):
            early = early or len(piece.tokens)
            times.append(time.perf_counter())
            ids = [*piece.tokens] if isinstance(piece, Completion) else [*ids, *piece.tokens]
            text = self.tokenizer.decode(ids)
            ready = text if isinstance(piece, Completion) else text.rstrip("\ufffd")  # half of a character
            print(ready[shown:], end="", flush=True)
            shown = len(ready)
        rate = f", then {(len(ids) - early) / (times[-1] - times[1]):,.1f} tokens/s" if len(times) > 2 else ""
        cut = "; cut off by --max_tokens or --length" if piece.finish == "length" else ""
        print(flush=True)
        print(f"[{len(ids)} tokens, the first after {times[1] - times[0]:.1f} s{rate}{cut}]", file=sys.stderr)
        return text

    def judge(self, question: str, reply: str, answer: str) -> bool:
        """Whether the reply is right; says so, and why."""
        style = _STYLE.value or ("cot" if hasattr(self.tokenizer, "chat") else "arithmetic")
        verdict = verify(Record(question=question, answer=answer, style=style), reply, _PROTOCOL.value)
        read = "no answer was found" if verdict.answer is None else f"its answer is {verdict.answer}"
        print(f"{'right' if verdict.correct else 'not right'} ({verdict.why}): {read}, the true one {answer}")
        return verdict.correct

    def _prompt(self, said):
        if self.template not in prompts.CHATS or len(said) == 1:
            return prompts.encode(self.template, Record(question=said[-1]), self.tokenizer)
        messages = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(said)]
        return self.tokenizer.encode(self.tokenizer.chat(messages))


def _template(found):
    """The template of a model's training, or what its tokenizer is made for."""
    told = found.about.get("converted", found.about).get("recipe")
    if told:
        return told["data"]["template"]
    return "chat" if getattr(found.tokenizer, "template", None) else "plain"


def _end(status, message):
    print(f"ask: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    flags.mark_flags_as_required(["model"])
    app.run(main)
