"""Both languages say the same."""

from string import Formatter

import pytest

from services.notifier.core.sentences import SENTENCES


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_no_language_has_a_sentence_that_another_has_not() -> None:
    assert SENTENCES["vi"].keys() == SENTENCES["en"].keys()


@pytest.mark.parametrize("name", sorted(SENTENCES["vi"]))
def test_sentences_put_in_the_same(name: str) -> None:
    assert places(SENTENCES["vi"][name]) == places(SENTENCES["en"][name])


@pytest.mark.parametrize("name", sorted(SENTENCES["en"]))
def test_the_english_is_english(name: str) -> None:
    left = SENTENCES["en"][name].replace("Nhịp Số", "")
    assert left.isascii()
