"""Tokenizers of pretrained models: from a folder, a GGUF file or the hub, kept as the texts of their files."""

import functools
import json
import pathlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mathjax.tokens import gguf, saved

DEFINITION, SETTINGS, TEMPLATE = FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
MORE = ("special_tokens_map.json", "generation_config.json")  # of a folder, looked at once
AT_ONCE = 1024  # texts encoded at a time: what is known of each of their tokens takes memory
ROLES = ("bos_token", "eos_token", "pad_token", "unk_token")


@dataclass(frozen=True)
class PretrainedTokenizer:
    """A tokenizer of the `tokenizers` library, its special tokens and its chat template.

    Text is encoded as it stands: special tokens that are written out in it become their ids, and none is added.
    `start_ids` are those that the model expects before a prompt.
    """

    definition: str  # tokenizer.json
    settings: str  # tokenizer_config.json
    template: str | None = None  # chat_template.jinja
    stops: tuple[int, ...] = ()  # further ids that end a completion

    def __post_init__(self):
        if self.role("eos_token") is None:
            raise ValueError(
                f"{SETTINGS} must name an eos_token that {DEFINITION} has, got {self._named('eos_token')!r}"
            )

    def role(self, name: str) -> int | None:
        """The id of the token in one of ROLES; None where there is none."""
        token = self._named(name)
        return None if token is None else self._tokenizer.token_to_id(token)

    @property
    def eos_id(self) -> int:
        return self.role("eos_token")

    @property
    def pad_id(self) -> int:
        """The id of padding, which no result depends on: that of the end where there is none."""
        found = self.role("pad_token")
        return self.eos_id if found is None else found

    @property
    def stop_ids(self) -> tuple[int, ...]:
        return (self.eos_id, *(stop for stop in self.stops if stop != self.eos_id))

    @property
    def ids(self) -> dict[str, int]:
        """bos_token_id, eos_token_id and pad_token_id, those there are, as the settings of a model name them."""
        found = {f"{role}_id": self.role(role) for role in ROLES if role != "unk_token"}
        return {name: place for name, place in found.items() if place is not None}

    @functools.cached_property
    def start_ids(self) -> tuple[int, ...]:
        """The ids that go before a prompt: that of bos_token, or none."""
        adds = json.loads(self.settings).get("add_bos_token")
        bos = self.role("bos_token")
        if adds is None:
            adds = bos in self._tokenizer.encode("", add_special_tokens=True).ids
        return (bos,) if adds and bos is not None else ()

    @functools.cached_property
    def vocab_size(self) -> int:
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def encode_many(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """All ids in one array, and where each text begins: uint16 or uint32 [sum], int64 [len(texts) + 1]."""
        dtype, parts, lengths = np.uint16 if self.vocab_size <= 2**16 else np.uint32, [], [0]
        for start in range(0, len(texts), AT_ONCE):
            some = self._tokenizer.encode_batch_fast(list(texts[start : start + AT_ONCE]), add_special_tokens=False)
            parts += [np.array(one.ids, dtype) for one in some]
            lengths += [len(one.ids) for one in some]
        return np.concatenate([np.zeros(0, dtype), *parts]), np.cumsum(lengths, dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids, in which special tokens, and ids that stand for no token, are left out."""
        return self._tokenizer.decode([int(i) for i in ids], skip_special_tokens=True)

    def chat(self, messages: list[dict], *, reply: bool = True) -> str:
        """A conversation as text, by the chat template; with `reply`, up to where the model's answer begins.

        messages: {"role": "user", "content": "..."} each. ValueError where there is no template, or where it refuses.
        """
        import jinja2
        import jinja2.sandbox

        if self.template is None:
            raise ValueError("this tokenizer has no chat template")

        def refuse(message):
            raise jinja2.TemplateError(message)

        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = functools.partial(json.dumps, ensure_ascii=False)
        environment.globals["raise_exception"] = refuse
        roles = {name: self._named(name) or "" for name in ROLES}
        try:
            return environment.from_string(self.template).render(
                messages=messages, add_generation_prompt=reply, **roles
            )
        except jinja2.TemplateError as error:
            raise ValueError(f"the chat template refuses {messages!r}: {error}") from None

    def with_special(self, tokens: Sequence[str]) -> "PretrainedTokenizer":
        """The same tokenizer with further special tokens, whose ids follow its last; those it has stay as they are."""
        if not tokens:
            return self
        from tokenizers import AddedToken

        larger = _parsed(self.definition)
        larger.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in tokens])
        settings = json.loads(self.settings)
        known = settings.get("additional_special_tokens") or []
        settings["additional_special_tokens"] = [*known, *(token for token in tokens if token not in known)]
        return replace(self, definition=larger.to_str(), settings=_json(settings))

    @classmethod
    def from_files(cls, texts: dict[str, str]) -> "PretrainedTokenizer":
        """The tokenizer that `to_files` describes."""
        stops = json.loads(texts[saved.FILE])["stops"]
        return cls(texts[DEFINITION], texts[SETTINGS], texts.get(TEMPLATE), tuple(stops))

    def to_files(self) -> dict[str, str]:
        """What `save` writes: names of files and their texts, which `transformers` reads as well."""
        about = {saved.FILE: json.dumps({"kind": "pretrained", "stops": self.stops}) + "\n"}
        template = {} if self.template is None else {TEMPLATE: self.template}
        return {**about, DEFINITION: self.definition, SETTINGS: self.settings, **template}

    def save(self, folder):
        """Write the tokenizer's files into a folder; `load` gives back an equal one."""
        saved.write(folder, self.to_files())

    @property
    def digest(self) -> str:
        """Names the tokenizer by its content: equal for two that give the same ids."""
        return saved.digest(self.to_files())

    def __reduce__(self):
        return PretrainedTokenizer, (self.definition, self.settings, self.template, self.stops)

    @functools.cached_property
    def _tokenizer(self):
        return _parsed(self.definition)

    def _named(self, role):
        return json.loads(self.settings).get(role)


def of_characters(alphabet: str) -> PretrainedTokenizer:
    """The tokenizer with the ids of `CharacterTokenizer(alphabet)`, as one that `transformers` reads."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {"<pad>": 0, "<end>": 1} | {character: place for place, character in enumerate(alphabet, 2)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    made.pre_tokenizer, made.decoder = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated"), decoders.Fuse()
    made.add_special_tokens(["<pad>", "<end>"])
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "eos_token": "<end>"}
    return PretrainedTokenizer(made.to_str(), _json(settings))


def find(source: str, revision: str = "") -> PretrainedTokenizer:
    """The tokenizer of a folder, of a GGUF file, or of a name on the hub, which takes a network.

    FileNotFoundError where there is none of them.
    """
    path = pathlib.Path(source)
    if path.is_file():
        return PretrainedTokenizer(*gguf.read(path))
    if path.is_dir():
        return read(path)
    from huggingface_hub import snapshot_download

    try:
        return read(pathlib.Path(snapshot_download(source, revision=revision or None, allow_patterns=[*FILES, *MORE])))
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            f"{source!r} is neither a folder nor a GGUF file, and the hub did not give it: {error}"
        ) from error


def read(folder: pathlib.Path) -> PretrainedTokenizer:
    """The tokenizer in a folder of Hugging Face; FileNotFoundError says what is there instead."""
    if not (folder / DEFINITION).is_file():
        raise FileNotFoundError(
            f"{folder}: wanted {DEFINITION}, found {sorted(entry.name for entry in folder.iterdir())}; other forms "
            f"become one by transformers.AutoTokenizer.from_pretrained(...).save_pretrained(...)"
        )
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in (*FILES, *MORE) if (folder / name).is_file()}
    settings = {name: json.loads(texts.get(name, "{}")) for name in (SETTINGS, *MORE)}
    about = settings["special_tokens_map.json"] | settings[SETTINGS]
    about |= {role: about[role]["content"] for role in ROLES if isinstance(about.get(role), dict)}
    template = texts.get(TEMPLATE) or about.pop("chat_template", None)
    if isinstance(template, list):  # several, by name
        template = next((one["template"] for one in template if one["name"] == "default"), None)
    stops = settings["generation_config.json"].get("eos_token_id") or []
    stops = stops if isinstance(stops, list) else [stops]
    return PretrainedTokenizer(texts[DEFINITION], _json(about), template, tuple(stops))


def _parsed(definition):
    from tokenizers import Tokenizer

    return Tokenizer.from_str(definition)


def _json(values):
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
