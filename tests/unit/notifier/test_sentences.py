"""Both languages say the same."""

from collections.abc import Mapping
from string import Formatter

import pytest

from services.notifier.core.digest_sentences import DIGEST_SENTENCES
from services.notifier.core.sentences import SENTENCES
from services.notifier.core.wording import Language

Table = Mapping[Language, Mapping[str, str]]


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


ALL = [
    pytest.param(table, name, id=f"{of}.{name}")
    for of, table in (("letter", SENTENCES), ("digest", DIGEST_SENTENCES))
    for name in sorted(table["vi"])
]


def test_no_language_has_a_sentence_that_another_has_not() -> None:
    for table in (SENTENCES, DIGEST_SENTENCES):
        assert table["vi"].keys() == table["en"].keys()


@pytest.mark.parametrize(("table", "name"), ALL)
def test_sentences_put_in_the_same(table: Table, name: str) -> None:
    assert places(table["vi"][name]) == places(table["en"][name])


@pytest.mark.parametrize(("table", "name"), ALL)
def test_the_english_is_english(table: Table, name: str) -> None:
    left = table["en"][name].replace("Nhịp Số", "").replace("→", "")
    assert left.isascii()
