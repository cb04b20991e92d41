"""A question as the text a model reads: the templates of the papers, byte for byte, as data."""

TEMPLATES = {
    "plain": "{question}",  # MathGLM arithmetic: the expression itself, ending in "="
    "alpaca": (  # RFT and MAmmoTH (papers' no-input form): no space or newline after "### Response:"
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n{question}\n\n### Response:"
    ),
}


def render(template: str, question: str) -> str:
    """The prompt for `question` under the named template; ValueError lists the names when there is no such one."""
    if template not in TEMPLATES:
        raise ValueError(f"no template {template!r}; there are {', '.join(TEMPLATES)}")
    return TEMPLATES[template].replace("{question}", question)
