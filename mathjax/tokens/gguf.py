"""The tokenizer in the metadata of a GGUF file, for byte-level BPE with merges.

Reading takes the `gguf` package: pip install "mathjax[gguf]".
"""

import json

# How a text is cut before its parts are merged, by the name that llama.cpp gives it. None: GPT-2's own cut.
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{%s}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CUTS = {"default": None, "gpt-2": None, "smollm": "digits", "qwen2": WORDS % "1", "llama-bpe": WORDS % "1,3"}
CONTROL, USER_DEFINED = 3, 4  # types of tokens
ROLES = {"bos": "bos_token", "eos": "eos_token", "padding": "pad_token", "unknown": "unk_token"}


def read(path) -> tuple[str, str, str | None]:
    """tokenizer.json, tokenizer_config.json and the chat template, if any, of a GGUF file.

    ValueError names a kind of tokenizer that is not supported.
    """
    import gguf

    fields = gguf.GGUFReader(path).fields
    about = {name: field for name, field in fields.items() if name.startswith("tokenizer.")}
    values = {name.removeprefix("tokenizer.ggml."): field.contents() for name, field in about.items()}
    kind, cut = values.get("model"), values.get("pre", "default")
    if kind != "gpt2":
        raise ValueError(f"{path}: tokenizer.ggml.model={kind!r} is not supported; gpt2 is")
    if cut not in CUTS:
        raise ValueError(f"{path}: tokenizer.ggml.pre={cut!r} is not supported; {', '.join(CUTS)} are")
    tokens = values["tokens"]
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    settings["add_bos_token"] = bool(values.get("add_bos_token", cut == "llama-bpe"))
    for name, role in ROLES.items():
        place = values.get(f"{name}_token_id")
        settings[role] = None if place is None else tokens[place]
    definition = _definition(tokens, values["merges"], values.get("token_type") or [1] * len(tokens), cut)
    return definition, json.dumps(settings, indent=2, ensure_ascii=False) + "\n", values.get("tokenizer.chat_template")


def _definition(tokens, merges, types, cut):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    pairs = [tuple(merge.split(" ")) for merge in merges]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    made = Tokenizer(models.BPE(vocabulary, pairs, ignore_merges=cut == "llama-bpe"))
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=cut in ("default", "gpt-2", "smollm"))
    if CUTS[cut] == "digits":
        level = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), level])
    elif CUTS[cut] is not None:
        level = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CUTS[cut]), "isolated"), level])
    made.pre_tokenizer = level
    made.decoder = decoders.ByteLevel()
    if cut == "qwen2":
        made.normalizer = normalizers.NFC()
    for token, kind in zip(tokens, types, strict=True):
        if kind == CONTROL:
            made.add_special_tokens([AddedToken(token, special=True, normalized=False)])
        elif kind == USER_DEFINED:
            made.add_tokens([AddedToken(token, special=False, normalized=False)])
    return made.to_str()
