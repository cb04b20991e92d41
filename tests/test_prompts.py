"""Templates, byte for byte."""

import pytest

from mathjax import prompts


def test_the_plain_template_is_the_question():
    assert prompts.render("plain", "5+4=") == "5+4="


def test_the_alpaca_template_ends_at_its_response_marker():
    text = prompts.render("alpaca", "How many {question} are there?")
    assert text == (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request."
        "\n\n### Instruction:\nHow many {question} are there?\n\n### Response:"
    )


def test_an_unknown_template_lists_the_known_ones():
    with pytest.raises(ValueError, match="no template 'alpacca'; there are plain, alpaca"):
        prompts.render("alpacca", "5+4=")
