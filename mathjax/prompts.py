"""A question as the text a model reads: the templates of the papers, byte for byte, as data."""

import re

from mathjax.records import Record, lettered

_ALPACA = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{question}\n\n### Response:"
)

_GSM8K = (  # chain of thought, Wei et al. 2022, table 20
    "Q: There are 15 trees in the grove. Grove workers will plant trees in the grove today. After they are done, "
    "there will be 21 trees. How many trees did the grove workers plant today?\n"
    "A: There are 15 trees originally. Then there were 21 trees after some more were planted. So there must have "
    "been 21 - 15 = 6. The answer is 6.\n"
    "\n"
    "Q: If there are 3 cars in the parking lot and 2 more cars arrive, how many cars are in the parking lot?\n"
    "A: There are originally 3 cars. 2 more cars arrive. 3 + 2 = 5. The answer is 5.\n"
    "\n"
    "Q: Leah had 32 chocolates and her sister had 42. If they ate 35, how many pieces do they have left in total?\n"
    "A: Originally, Leah had 32 chocolates. Her sister had 42. So in total they had 32 + 42 = 74. After eating 35, "
    "they had 74 - 35 = 39. The answer is 39.\n"
    "\n"
    "Q: Jason had 20 lollipops. He gave Denny some lollipops. Now Jason has 12 lollipops. How many lollipops did "
    "Jason give to Denny?\n"
    "A: Jason started with 20 lollipops. Then he had 12 after giving some to Denny. So he gave Denny 20 - 12 = 8. "
    "The answer is 8.\n"
    "\n"
    "Q: Shawn has five toys. For Christmas, he got two toys each from his mom and dad. How many toys does he have "
    "now?\n"
    "A: Shawn started with 5 toys. If he got 2 toys each from his mom and dad, then that is 4 more toys. 5 + 4 = "
    "9. The answer is 9.\n"
    "\n"
    "Q: There were nine computers in the server room. Five more computers were installed each day, from monday to "
    "thursday. How many computers are now in the server room?\n"
    "A: There were originally 9 computers. For each of 4 days, 5 more computers were added. So 5 * 4 = 20 "
    "computers were added. 9 + 20 is 29. The answer is 29.\n"
    "\n"
    "Q: Michael had 58 golf balls. On tuesday, he lost 23 golf balls. On wednesday, he lost 2 more. How many golf "
    "balls did he have at the end of wednesday?\n"
    "A: Michael started with 58 golf balls. After losing 23 on tuesday, he had 58 - 23 = 35. After losing 2 more, "
    "he had 35 - 2 = 33 golf balls. The answer is 33.\n"
    "\n"
    "Q: Olivia has $23. She bought five bagels for $3 each. How much money does she have left?\n"
    "A: Olivia had 23 dollars. 5 bagels for 3 dollars each will be 5 x 3 = 15 dollars. So she has 23 - 15 dollars "
    "left. 23 - 15 is 8. The answer is 8."
)
_MATH = (  # Minerva's, Lewkowycz et al. 2022, appendix D.2, its stray brace included
    "Problem:\n"
    "Find the domain of the expression  $\\frac{\\sqrt{x-2}}{\\sqrt{5-x}}$.}\n"
    "\n"
    "Solution:\n"
    "The expressions inside each square root must be non-negative. Therefore, $x-2 \\ge 0$, so $x\\ge2$, and $5 - "
    "x \\ge 0$, so $x \\le 5$. Also, the denominator cannot be equal to zero, so $5-x>0$, which gives $x<5$. "
    "Therefore, the domain of the expression is $\\boxed{[2,5)}$.\n"
    "Final Answer: The final answer is $[2,5)$. I hope it is correct.\n"
    "\n"
    "Problem:\n"
    "If $\\det \\mathbf{A} = 2$ and $\\det \\mathbf{B} = 12,$ then find $\\det (\\mathbf{A} \\mathbf{B}).$\n"
    "\n"
    "Solution:\n"
    "We have that $\\det (\\mathbf{A} \\mathbf{B}) = (\\det \\mathbf{A})(\\det \\mathbf{B}) = (2)(12) = "
    "\\boxed{24}.$\n"
    "Final Answer: The final answer is $24$. I hope it is correct.\n"
    "\n"
    "Problem:\n"
    "Terrell usually lifts two 20-pound weights 12 times. If he uses two 15-pound weights instead, how many times "
    "must Terrell lift them in order to lift the same total weight?\n"
    "\n"
    "Solution:\n"
    "If Terrell lifts two 20-pound weights 12 times, he lifts a total of $2\\cdot 12\\cdot20=480$ pounds of "
    "weight.  If he lifts two 15-pound weights instead for $n$ times, he will lift a total of $2\\cdot15\\cdot "
    "n=30n$ pounds of weight.  Equating this to 480 pounds, we can solve for $n$:\n"
    "\\begin{align*}\n"
    "30n&=480\\\\\n"
    "\\Rightarrow\\qquad n&=480/30=\\boxed{16}\n"
    "\\end{align*}\n"
    "Final Answer: The final answer is $16$. I hope it is correct.\n"
    "\n"
    "Problem:\n"
    "If the system of equations\n"
    "\n"
    "\\begin{align*}\n"
    "6x-4y&=a,\\\\\n"
    "6y-9x &=b.\n"
    "\\end{align*}has a solution $(x, y)$ where $x$ and $y$ are both nonzero,\n"
    "find $\\frac{a}{b},$ assuming $b$ is nonzero.\n"
    "\n"
    "Solution:\n"
    "If we multiply the first equation by $-\\frac{3}{2}$, we obtain\n"
    "\n"
    "$$6y-9x=-\\frac{3}{2}a.$$Since we also know that $6y-9x=b$, we have\n"
    "\n"
    "$$-\\frac{3}{2}a=b\\Rightarrow\\frac{a}{b}=\\boxed{-\\frac{2}{3}}.$$\n"
    "Final Answer: The final answer is $-\\frac{2}{3}$. I hope it is correct."
)

TEMPLATES = {  # {question} and {input} are what a record says
    "plain": "{question}",  # MathGLM arithmetic: the expression itself, ending in "="
    "alpaca": _ALPACA,  # no space or newline after "### Response:"
    "alpaca_input": (  # for records with an input, as instruction data may have one
        "Below is an instruction that describes a task, paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n{question}\n\n### Input:\n{input}\n\n### Response:"
    ),
    "rft": _ALPACA,
    "wizardmath": _ALPACA + " Let's think step by step.",  # what it is asked with; it is trained with alpaca
    "mammoth_cot": _ALPACA,
    "mammoth_pot": _ALPACA.replace("{question}", "{question} Let's write a program."),
    "mammoth_choice": _ALPACA + " Let's solve the multi-choice question step by step.\n",
    "gsm8k_8shot": _GSM8K + "\n\nQ: {question}\nA:",
    "math_4shot": _MATH + "\n\nProblem:\n{question}\n\nSolution:",  # Minerva's
    "question_answer": "Question: {question}\nAnswer:",  # lm-evaluation-harness, GSM8K
    "chat": "{question}",
    "chat_boxed": "{question}\nPlease reason step by step, and put your final answer within \\boxed{}.",  # DeepSeekMath
}
CHATS = ("chat", "chat_boxed")  # where the text is a user's message, which the tokenizer's chat template goes around
WITHOUT_INPUT = {"alpaca_input": "alpaca"}  # what a record without an input has in place of a template with one
CHOICES = "\nAnswer Choices: "  # MAmmoTH's way to put options behind a question: (A) .. (B) ..


def render(template: str, question: str, input: str = "") -> str:
    """The prompt for `question` under the named template, which is no chat.

    Without an input, a template that has one gives way to WITHOUT_INPUT. ValueError lists the names when there is no
    such template, and says which need a tokenizer.
    """
    if template in CHATS:
        raise ValueError(f"template {template!r} is a chat: it is rendered by a tokenizer that has a chat template")
    return _filled(template, question, input)


def render_record(template: str, record: Record, tokenizer=None) -> str:
    """The prompt for a record: its options behind its question, and `extra["input"]`, if it has one, in its place.

    In a chat, the text is a user's message, and the prompt is what `tokenizer.chat(messages)` makes of it: the text
    up to where the reply begins. ValueError where the tokenizer has no chat template.
    """
    question, given = with_options(record), str(record.extra.get("input") or "")
    if template not in CHATS:
        return render(template, question, given)
    if not hasattr(tokenizer, "chat"):
        raise ValueError(f"template {template!r} needs a tokenizer with a chat template, got {tokenizer!r:.80}")
    return tokenizer.chat([{"role": "user", "content": _filled(template, question, given)}])


def encode(template: str, record: Record, tokenizer) -> list[int]:
    """The ids of the prompt for a record, as a model is given them."""
    return [*start_ids(template, tokenizer), *tokenizer.encode(render_record(template, record, tokenizer))]


def start_ids(template: str, tokenizer) -> tuple[int, ...]:
    """The ids before those of a prompt's text: the tokenizer's; none in a chat, whose template writes them itself."""
    return () if template in CHATS else tokenizer.start_ids


def pair(template: str, record: Record, tokenizer=None) -> tuple[str, str]:
    """(prompt, solution) of a record to learn from: the text of a completion begins where that of the prompt ends.

    They are encoded apart, so the ids of a prompt are the same when a solution follows and when it is sampled.
    ValueError for a record without a solution.
    """
    if record.solution is None:
        raise ValueError(f"to learn from a record it needs a solution, {record.question[:80]!r} has none")
    return render_record(template, record, tokenizer), record.solution


def with_options(record: Record) -> str:
    """The question, and behind it the options, if it has some, as MAmmoTH writes them."""
    if not record.options:
        return record.question
    return record.question + CHOICES + " ".join(f"({letter}) {text}" for letter, text in lettered(record.options))


def _filled(template, question, given):
    if template not in TEMPLATES:
        raise ValueError(f"no template {template!r}; there are {', '.join(TEMPLATES)}")
    name = template if given else WITHOUT_INPUT.get(template, template)
    values = {"{question}": question, "{input}": given}
    return re.sub(r"\{(?:question|input)\}", lambda found: values[found[0]], TEMPLATES[name])
