"""A tokenizer for the language of a corpus, learned from it: byte-level BPE, in which each digit is a token."""

import json
from collections.abc import Iterable

from mathjax.tokens import PretrainedTokenizer

PAD, END = "<pad>", "<end>"


def learn(texts: Iterable[str], size: int) -> PretrainedTokenizer:
    """The tokenizer of at most `size` tokens that stands for these texts in few of them (Sennrich et al. 2016).

    Any text can be encoded, in bytes where need be. The same texts in the same order give the same tokenizer.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[PAD, END], initial_alphabet=sorted(letters), show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": PAD, "eos_token": END}
    return PretrainedTokenizer(made.to_str(), json.dumps(settings, indent=2) + "\n")
