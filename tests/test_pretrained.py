"""Tokenizers of pretrained models: from a folder and back, special tokens, where a prompt begins and a reply ends."""

import itertools
import json
import pickle

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from mathjax import config, tokens
from mathjax.tokens import PretrainedTokenizer

TEXTS = ["Natalia sold 48/2 = 24 clips in May.", "", "48+24 = 72", "🦆 eggs für 3 €\n\n#### 72"]
TEMPLATE = "{% for message in messages %}<user>{{ message['content'] }}{{ eos_token }}\n{% endfor %}\
{% if add_generation_prompt %}<reply>{% endif %}"


@pytest.fixture(scope="module")
def trained():
    """A byte-level BPE of a few hundred tokens with the special tokens a chat needs."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = ["<end>", "<begin>", "<user>", "<reply>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(TEXTS * 4, trainers.BpeTrainer(initial_alphabet=alphabet, special_tokens=special))
    return made


@pytest.fixture
def folder(trained, tmp_path):
    """As a model of Hugging Face comes."""
    folder = tmp_path / "model"
    folder.mkdir()
    trained.save(str(folder / "tokenizer.json"))
    settings = {"eos_token": {"content": "<end>"}, "bos_token": "<begin>", "chat_template": TEMPLATE}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [0, 3]}))
    return folder


def build(folder, **settings):
    return tokens.build(config.Tokenizer(kind="pretrained", source=str(folder), **settings))


def test_text_is_encoded_as_the_library_does_and_comes_back(folder, trained):
    tokenizer = build(folder)
    for text in TEXTS:
        assert tokenizer.encode(text) == trained.encode(text, add_special_tokens=False).ids
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_many_texts_are_encoded_as_each_is(folder):
    tokenizer, many = build(folder), TEXTS * 700
    ids, offsets = tokenizer.encode_many(many)
    assert [ids[a:b].tolist() for a, b in itertools.pairwise(offsets)] == [*map(tokenizer.encode, many)]
    assert (ids.dtype, offsets.dtype) == (np.uint16, np.int64)
    assert [len(x) for x in tokenizer.encode_many([])] == [0, 1]


def test_special_tokens_written_out_are_read_as_such_and_left_out_of_text(folder):
    tokenizer = build(folder)
    assert tokenizer.encode("<user><end>") == [2, 0]
    assert tokenizer.decode(np.array([2, *tokenizer.encode("72"), 0, 60_000])) == "72"


def test_a_prompt_begins_and_a_reply_ends_as_the_model_was_taught(folder, trained):
    tokenizer = build(folder)
    assert (tokenizer.eos_id, tokenizer.pad_id, tokenizer.stop_ids, tokenizer.start_ids) == (0, 0, (0, 3), ())
    assert tokenizer.ids == {"bos_token_id": 1, "eos_token_id": 0}
    trained = Tokenizer.from_str(trained.to_str())
    trained.post_processor = processors.TemplateProcessing(single="<begin> $A", special_tokens=[("<begin>", 1)])
    trained.save(str(folder / "tokenizer.json"))
    assert build(folder).start_ids == (1,)
    assert build(folder).encode("72") == tokenizer.encode("72")


@pytest.mark.parametrize(("adds", "start"), [(True, (1,)), (False, ())])
def test_settings_say_whether_a_prompt_begins_with_a_token(folder, adds, start):
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"add_bos_token": adds, "pad_token": "<user>"}))
    assert (build(folder).start_ids, build(folder).pad_id) == (start, 2)


def test_a_conversation_is_rendered_by_its_template(folder):
    pytest.importorskip("jinja2", reason="needs jinja2: pip install jinja2")
    tokenizer = build(folder)
    assert tokenizer.chat([{"role": "user", "content": "1+1?"}]) == "<user>1+1?<end>\n<reply>"
    assert tokenizer.chat([{"role": "user", "content": "1+1?"}], reply=False) == "<user>1+1?<end>\n"


def test_a_template_that_refuses_and_one_that_is_not_there_are_errors(folder):
    pytest.importorskip("jinja2", reason="needs jinja2: pip install jinja2")
    (folder / "chat_template.jinja").write_text("{{ raise_exception('no system') }}")
    with pytest.raises(ValueError, match=r"the chat template refuses .*: no system"):
        build(folder).chat([{"role": "system", "content": "x"}])
    (folder / "chat_template.jinja").unlink()
    (folder / "tokenizer_config.json").write_text('{"eos_token": "<end>"}')
    with pytest.raises(ValueError, match="has no chat template"):
        build(folder).chat([])


def test_new_special_tokens_follow_the_last_id(folder):
    plain, larger = build(folder), build(folder, special=["[PAD]", "<calculate>", "<user>"])
    assert larger.vocab_size == plain.vocab_size + 2
    assert larger.encode("[PAD]<calculate>") == [plain.vocab_size, plain.vocab_size + 1]
    assert [larger.encode(text) for text in TEXTS] == [plain.encode(text) for text in TEXTS]
    assert larger.digest != plain.digest


def test_a_saved_tokenizer_is_loaded_the_same(folder, tmp_path):
    tokenizer = build(folder, special=["[PAD]"])
    tokenizer.save(tmp_path / "saved")
    for again in (
        tokens.load(tmp_path / "saved"),
        tokens.from_files(json.loads(json.dumps(tokenizer.to_files()))),
        pickle.loads(pickle.dumps(tokenizer)),
        PretrainedTokenizer(tokenizer.definition, tokenizer.settings, tokenizer.template, tokenizer.stops),
    ):
        assert again == tokenizer and again.digest == tokenizer.digest
        assert again.encode(TEXTS[0]) == tokenizer.encode(TEXTS[0])


def test_what_is_saved_is_read_by_transformers(folder, tmp_path):
    transformers = pytest.importorskip("transformers")
    tokenizer = build(folder, special=["[PAD]"])
    tokenizer.save(tmp_path / "saved")
    theirs = transformers.PreTrainedTokenizerFast.from_pretrained(tmp_path / "saved")
    assert [theirs.encode(text, add_special_tokens=False) for text in TEXTS] == [*map(tokenizer.encode, TEXTS)]
    assert (len(theirs), theirs.eos_token_id) == (tokenizer.vocab_size, tokenizer.eos_id)
    messages = [{"role": "user", "content": "1+1?"}]
    pytest.importorskip("jinja2")
    assert theirs.apply_chat_template(messages, tokenize=False, add_generation_prompt=True) == tokenizer.chat(messages)


def test_a_tokenizer_without_an_end_is_refused(folder):
    (folder / "tokenizer_config.json").write_text('{"eos_token": "<stop>"}')
    with pytest.raises(ValueError, match=r"must name an eos_token that tokenizer\.json has, got '<stop>'"):
        build(folder)


def test_a_folder_without_a_tokenizer_lists_what_it_holds(tmp_path):
    (tmp_path / "tokenizer.model").write_text("")
    with pytest.raises(FileNotFoundError, match=r"wanted tokenizer.json, found \['tokenizer.model'\]"):
        build(tmp_path)


def test_a_name_that_is_nowhere_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(FileNotFoundError, match="neither a folder nor a GGUF file, and the hub did not give it"):
        build("nobody/nothing")


def test_a_tokenizer_that_names_no_source_is_refused():
    """Beside a pretrained model it may be left out: then the model's own is taken."""
    with pytest.raises(ValueError, match="source must name a folder"):
        tokens.build(config.Tokenizer(kind="pretrained"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "character", "source": "x", "special": ["y"]}, "source, special must be left out"),
        ({"kind": "bytes"}, "kind must be one of character, pretrained"),
    ],
)
def test_settings_of_a_tokenizer_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        config.check(config.Tokenizer(**settings))
