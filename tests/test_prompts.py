"""Templates, byte for byte, and what is made of a record."""

import json

import numpy as np
import pytest

from mathjax import config, prompts, records, tokens
from mathjax.data import cache, encode, mixture
from mathjax.records import Record

ALPACA = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request."
    "\n\n### Instruction:\nHow many {question} are there?"
)
EXPECTED = {
    "plain": "How many {question} are there?",
    "alpaca": ALPACA + "\n\n### Response:",
    "alpaca_input": ALPACA + "\n\n### Response:",
    "rft": ALPACA + "\n\n### Response:",
    "wizardmath": ALPACA + "\n\n### Response: Let's think step by step.",
    "mammoth_cot": ALPACA + "\n\n### Response:",
    "mammoth_pot": ALPACA + " Let's write a program.\n\n### Response:",
    "mammoth_choice": ALPACA + "\n\n### Response: Let's solve the multi-choice question step by step.\n",
}
INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request."
    "\n\n### Instruction:\nAdd {input}.\n\n### Input:\n1 and {question}\n\n### Response:"
)
GSM8K = """\
Q: There are 15 trees in the grove. Grove workers will plant trees in the grove today. After they are done, \
there will be 21 trees. How many trees did the grove workers plant today?
A: There are 15 trees originally. Then there were 21 trees after some more were planted. So there must have been \
21 - 15 = 6. The answer is 6.

Q: If there are 3 cars in the parking lot and 2 more cars arrive, how many cars are in the parking lot?
A: There are originally 3 cars. 2 more cars arrive. 3 + 2 = 5. The answer is 5.

Q: Leah had 32 chocolates and her sister had 42. If they ate 35, how many pieces do they have left in total?
A: Originally, Leah had 32 chocolates. Her sister had 42. So in total they had 32 + 42 = 74. After eating 35, they \
had 74 - 35 = 39. The answer is 39.

Q: Jason had 20 lollipops. He gave Denny some lollipops. Now Jason has 12 lollipops. How many lollipops did Jason \
give to Denny?
A: Jason started with 20 lollipops. Then he had 12 after giving some to Denny. So he gave Denny 20 - 12 = 8. The \
answer is 8.

Q: Shawn has five toys. For Christmas, he got two toys each from his mom and dad. How many toys does he have now?
A: Shawn started with 5 toys. If he got 2 toys each from his mom and dad, then that is 4 more toys. 5 + 4 = 9. The \
answer is 9.

Q: There were nine computers in the server room. Five more computers were installed each day, from monday to \
thursday. How many computers are now in the server room?
A: There were originally 9 computers. For each of 4 days, 5 more computers were added. So 5 * 4 = 20 computers were \
added. 9 + 20 is 29. The answer is 29.

Q: Michael had 58 golf balls. On tuesday, he lost 23 golf balls. On wednesday, he lost 2 more. How many golf balls \
did he have at the end of wednesday?
A: Michael started with 58 golf balls. After losing 23 on tuesday, he had 58 - 23 = 35. After losing 2 more, he had \
35 - 2 = 33 golf balls. The answer is 33.

Q: Olivia has $23. She bought five bagels for $3 each. How much money does she have left?
A: Olivia had 23 dollars. 5 bagels for 3 dollars each will be 5 x 3 = 15 dollars. So she has 23 - 15 dollars left. \
23 - 15 is 8. The answer is 8.

Q: 1+1?
A:"""
CHOICE = Record(question="How much?", answer="B", solution="So B.", style="choice", options=("A)21", "(B) f(x)", "3"))


class Chat(tokens.CharacterTokenizer):
    """A character tokenizer with a chat template, and an id before prompts, as some models want."""

    start_ids = (2,)

    def chat(self, messages):
        return "".join(f"<{message['role']}>{message['content']}" for message in messages) + "<assistant>"


def alphabet(*texts):
    return "".join(sorted(set().union(*texts)))


@pytest.mark.parametrize("template", EXPECTED)
def test_a_template_is_what_was_published(template):
    assert prompts.render(template, "How many {question} are there?") == EXPECTED[template]


def test_the_eight_examples_of_gsm8k_are_what_was_published():
    assert prompts.render("gsm8k_8shot", "1+1?") == GSM8K


def test_the_four_examples_of_math_are_what_was_published():
    text = prompts.render("math_4shot", "Find $x$.")
    first, second, third, fourth, asked = text.split("Problem:\n")[1:]
    assert first.startswith("Find the domain of the expression  $\\frac{\\sqrt{x-2}}{\\sqrt{5-x}}$.}\n\nSolution:\n")
    assert second.startswith("If $\\det \\mathbf{A} = 2$ and $\\det \\mathbf{B} = 12,$ then find")
    assert "$2\\cdot15\\cdot n=30n$ pounds of weight.  Equating" in third
    assert "\\begin{align*}\n30n&=480\\\\\n\\Rightarrow\\qquad n&=480/30=\\boxed{16}\n\\end{align*}\n" in third
    assert "\\begin{align*}\n6x-4y&=a,\\\\\n6y-9x &=b.\n\\end{align*}has a solution" in fourth
    for example, answer in ((first, "[2,5)"), (second, "24"), (third, "16"), (fourth, "-\\frac{2}{3}")):
        assert example.endswith(f"Final Answer: The final answer is ${answer}$. I hope it is correct.\n\n")
    assert asked == "Find $x$.\n\nSolution:"


def test_an_input_has_a_place_of_its_own():
    assert prompts.render("alpaca_input", "Add {input}.", "1 and {question}") == INPUT
    record = Record(question="Add {input}.", extra={"input": "1 and {question}"})
    assert prompts.render_record("alpaca_input", record) == INPUT


def test_an_unknown_template_lists_the_known_ones():
    with pytest.raises(ValueError, match="no template 'alpacca'; there are plain, alpaca"):
        prompts.render("alpacca", "5+4=")


@pytest.mark.parametrize("template", [name for name in prompts.TEMPLATES if name not in prompts.CHATS])
def test_a_record_without_options_is_rendered_as_its_question(template):
    assert prompts.render_record(template, Record(question="5+4?")) == prompts.render(template, "5+4?")


def test_options_stand_behind_the_question_with_their_letters():
    question = "How much?\nAnswer Choices: (A) 21 (B) f(x) (C) 3"
    assert prompts.with_options(CHOICE) == question
    assert prompts.render_record("mammoth_choice", CHOICE) == prompts.render("mammoth_choice", question)


def test_a_chat_is_rendered_by_its_tokenizer():
    assert prompts.render_record("chat", Record(question="5+4?"), Chat()) == "<user>5+4?<assistant>"
    text = prompts.render_record("chat_boxed", Record(question="5+4?"), Chat())
    assert text == ("<user>5+4?\nPlease reason step by step, and put your final answer within \\boxed{}.<assistant>")


@pytest.mark.parametrize("template", prompts.CHATS)
def test_a_chat_without_a_tokenizer_for_it_is_refused(template):
    assert template in prompts.TEMPLATES
    with pytest.raises(ValueError, match="is a chat: it is rendered by a tokenizer"):
        prompts.render(template, "5+4?")
    with pytest.raises(ValueError, match="needs a tokenizer with a chat template, got CharacterTokenizer"):
        prompts.render_record(template, Record(question="5+4?"), tokens.CharacterTokenizer())


@pytest.mark.parametrize("template", prompts.TEMPLATES)
def test_an_encoded_solution_begins_with_the_ids_of_its_prompt(template):
    record = Record(question="5+4?", solution="It is 9.", extra={"input": "x"})
    prompt, solution = prompts.pair(template, record, Chat())
    tokenizer = Chat(alphabet(prompt, solution))
    ids, weights = encode.example(record, tokenizer, template, "solution")
    asked = prompts.encode(template, record, tokenizer)
    start = [] if template in prompts.CHATS else [2]
    assert asked == start + tokenizer.encode(prompts.render_record(template, record, tokenizer))
    assert ids == [*asked, *tokenizer.encode("It is 9."), tokenizer.eos_id]
    assert weights.tolist() == [0.0] * (len(asked) - 1) + [1.0] * (len("It is 9.") + 1)


def drawn(count):
    """Records of many lengths, with options now and then; each has a question and a solution of its own."""
    rng = np.random.default_rng(0)
    return [
        Record(
            question=f"{i} and {'x' * int(rng.integers(40))}?",
            solution=f"s{i}" * int(rng.integers(1, 9)),
            options=("1", "2") if i % 3 == 0 else None,
        )
        for i in range(count)
    ]


def segments(batch):
    """(token ids and the last target, weights of the targets) of each example in a batch."""
    for row in range(len(batch.tokens)):
        assert not batch.weights[row][batch.segments[row] == 0].any()
        for segment in range(1, batch.segments[row].max() + 1):
            here = batch.segments[row] == segment
            yield [batch.tokens[row][here][0], *batch.targets[row][here]], batch.weights[row][here]


@pytest.mark.parametrize("template", ["plain", "alpaca", "mammoth_choice", "chat"])
def test_after_packing_exactly_the_solutions_and_their_ends_have_weight(tmp_path, template):
    made = drawn(60)
    records.write(tmp_path / "a.jsonl", made)
    texts = [prompts.pair(template, record, Chat()) for record in made]
    tokenizer = Chat("\n" + alphabet(*(text for pair in texts for text in pair)).replace("\n", ""))
    data = config.Data(
        sources=[config.Source(path=str(tmp_path / "a.jsonl"))],
        rows=8,
        length=512,
        objective="solution",
        template=template,
    )
    expected = {}
    for record, (_, solution) in zip(made, texts, strict=True):
        asked = prompts.encode(template, record, tokenizer)
        learned = [*tokenizer.encode(solution), tokenizer.eos_id]
        expected[(*asked, *learned)] = [0.0] * (len(asked) - 1) + [1.0] * len(learned)
    seen = set()
    for batch in mixture.mixture(data, tokenizer, cache_dir=tmp_path / "cache").batches():
        for ids, weights in segments(batch):
            assert weights.tolist() == expected[tuple(map(int, ids))]
            seen.add(tuple(map(int, ids)))
        if len(seen) == len(made):
            break


@pytest.mark.parametrize("template", ["plain", "alpaca", "chat"])
def test_many_records_are_encoded_as_each_is(template):
    made = [*drawn(20), Record(question="", solution="")]
    tokenizer = Chat(alphabet(*(text for record in made for text in prompts.pair(template, record, Chat()))))
    found = encode.many(made, tokenizer, template)
    for i, record in enumerate(made):
        ids, _ = encode.example(record, tokenizer, template, "all")
        assert found.tokens[found.offsets[i] : found.offsets[i + 1]].tolist() == ids
        assert found.prompts[i] == len(prompts.encode(template, record, tokenizer))


def test_a_chat_and_the_same_text_plain_are_kept_apart(tmp_path):
    records.write(tmp_path / "a.jsonl", [Record(question="1+1=", solution="2")])
    tokenizer = Chat(alphabet("1+=2<user>assistant"))
    for template, text in (("plain", "1+1=2"), ("chat", "<user>1+1=<assistant>2")):
        digest = records.digest(tmp_path / "a.jsonl")
        found = cache.encoded(str(tmp_path / "a.jsonl"), digest, tokenizer, template, tmp_path / "cache")
        assert tokenizer.decode(found.tokens[len(prompts.start_ids(template, tokenizer)) :]) == text


def test_the_answer_choices_of_published_questions_come_back_to_the_same_bytes(public_data):
    from data_gen.sources import choices

    for name in ("sat_math", "numglue"):
        for row in json.loads((public_data / name / "test.json").read_text("utf-8")):
            question, options = choices.split(row["question"])
            assert ("Answer Choices" in row["question"]) == (options is not None)
            assert prompts.with_options(Record(question=question, options=options)) == row["question"]
