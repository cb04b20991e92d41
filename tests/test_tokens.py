"""The character tokenizer: one token a character, nothing lost, nothing guessed."""

import itertools
import json
import pickle
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathjax import config, tokens
from mathjax.tokens import ALPHABET, CharacterTokenizer

TEXT = st.text(alphabet=ALPHABET)


def slow(tokenizer, text):
    return [2 + tokenizer.alphabet.index(character) for character in text]


def test_the_alphabet_is_that_of_the_paper():
    assert set(ALPHABET) == set("0123456789+-*/^()[].%=e")


@given(TEXT)
def test_each_character_is_one_token_and_comes_back(text):
    tokenizer = CharacterTokenizer()
    ids = tokenizer.encode(text)
    assert ids == slow(tokenizer, text)
    assert tokenizer.decode(ids) == text


@given(st.lists(TEXT))
def test_many_texts_are_encoded_as_each_is(texts):
    tokenizer = CharacterTokenizer()
    ids, offsets = tokenizer.encode_many(texts)
    assert [ids[a:b].tolist() for a, b in itertools.pairwise(offsets)] == [*map(tokenizer.encode, texts)]
    assert (ids.dtype, offsets.dtype) == (np.uint16, np.int64)


def test_padding_and_end_are_no_characters():
    tokenizer = CharacterTokenizer()
    assert (tokenizer.pad_id, tokenizer.eos_id, tokenizer.vocab_size) == (0, 1, 25)
    assert sorted(tokenizer.encode(ALPHABET)) == list(range(2, 25))
    assert tokenizer.decode([*tokenizer.encode("1+1=2"), 1, 0, 0]) == "1+1=2"


@pytest.mark.parametrize("character", ["×", " ", "\n", "\0", "f", "\ud800", "𝟙", "\U0010ffff"])
def test_an_unknown_character_is_named_with_its_place(character):
    with pytest.raises(ValueError, match=f"unknown character {character!r} at place 3 ".replace("\\", "\\\\")):
        CharacterTokenizer().encode(f"20-{character}3=60")


def test_an_unknown_character_is_named_with_its_text():
    with pytest.raises(ValueError, match=r"'x' at place 1 \(from 0\) of '3x3=9'; the alphabet is 0123"):
        CharacterTokenizer().encode_many(["", "2*2=4", "3x3=9", "?"])


@pytest.mark.parametrize("ids", [[25], [3, -1], [2**40]])
def test_an_id_that_is_none_is_refused(ids):
    with pytest.raises(ValueError, match="is not below vocab_size=25"):
        CharacterTokenizer().decode(ids)


def test_ids_of_any_integer_type_are_decoded():
    assert CharacterTokenizer().decode(np.array([3, 12, 3], np.int32)) == "1+1"


@pytest.mark.parametrize("alphabet", [ALPHABET, "01", "年月𝟙a"])
def test_a_saved_tokenizer_is_loaded_the_same(tmp_path, alphabet):
    tokenizer = CharacterTokenizer(alphabet)
    tokenizer.save(tmp_path / "folder")
    loaded = tokens.load(tmp_path / "folder")
    assert loaded == tokenizer
    assert loaded.encode(alphabet) == tokenizer.encode(alphabet)
    assert tokens.from_files(json.loads(json.dumps(tokenizer.to_files()))) == tokenizer


def test_a_digest_names_the_alphabet():
    assert CharacterTokenizer().digest == CharacterTokenizer(ALPHABET).digest
    assert CharacterTokenizer().digest != CharacterTokenizer(ALPHABET[::-1]).digest


def test_a_tokenizer_can_be_sent_to_a_process():
    used = CharacterTokenizer()
    used.encode("1")
    assert pickle.loads(pickle.dumps(used)).encode("1+1") == used.encode("1+1")


@pytest.mark.parametrize("alphabet", ["", "aa"])
def test_an_alphabet_holds_each_character_once(alphabet):
    with pytest.raises(ValueError, match="an alphabet needs characters, each of them once"):
        CharacterTokenizer(alphabet)


def test_a_large_alphabet_takes_wider_ids():
    alphabet = "".join(map(chr, range(0x10000, 0x10000 + 70_000)))
    tokenizer = CharacterTokenizer(alphabet)
    ids, _ = tokenizer.encode_many([alphabet])
    assert ids.dtype == np.uint32
    assert ids.tolist() == list(range(2, 70_002))


def test_a_folder_without_a_tokenizer_lists_what_it_holds(tmp_path):
    (tmp_path / "readme").write_text("")
    with pytest.raises(FileNotFoundError, match=r"wanted a tokenizer's tokens.json, found \['readme'\]"):
        tokens.load(tmp_path)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "not json", '{"kind": "bytes", "alphabet": "0"}', '{"kind": "character"}']
)
def test_a_foreign_file_is_refused(tmp_path, text):
    (tmp_path / "tokens.json").write_text(text)
    with pytest.raises(ValueError, match=r"tokens\.json"):
        tokens.load(tmp_path)


def test_a_recipe_names_the_tokenizer():
    assert tokens.build(config.Tokenizer(kind="character")) == CharacterTokenizer()


def test_encoding_is_fast():
    text = "12+34*5.6/(7-8)=" * 250_000
    begun = time.process_time()
    CharacterTokenizer().encode_many([text])
    assert len(text) / (time.process_time() - begun) > 20e6
