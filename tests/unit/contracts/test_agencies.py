"""Who answers for an indicator is data; a mistake in it names the place."""

from pathlib import Path

import pytest

from contracts import agencies, catalogue, forms
from contracts.agencies import AgenciesError

TWICE = "{name: A, answers_for: [dc.1.1]}"


def written(folder: Path, text: str) -> Path:
    path = folder / "agencies.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_sample_names_an_agency_for_each_target() -> None:
    sample = agencies.load(None, catalogue.load())
    judged = [one.id for one in catalogue.load() if one.targets.dated()]
    assert [one for one in judged if sample.answering(one) is None] == []
    assert sample.answering("ds.health-record") == "so-y-te"
    assert sample["so-y-te"].name == "Sở Y tế"
    assert sample.answering("nf.party-handbook-cells") is None


def test_the_sample_holds_to_the_catalogue_and_to_the_forms() -> None:
    known = catalogue.load()
    sample = agencies.load(None, known)
    named = {one for agency in sample.agencies.values() for one in agency.answers_for}
    assert named <= known.by_id.keys()
    reporting = forms.load(None, known).agencies.names
    names = {code: agency.name for code, agency in sample.agencies.items()}
    assert {code: name for code, name in names.items() if reporting.get(code, name) != name} == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nagencies: {So-Y-Te: {name: Sở Y tế}}", "agencies.So-Y-Te"),
        ("version: 1\nagencies: {so-y-te: {name: ''}}", "agencies.so-y-te.name"),
        ("version: 1\nagencies: {so-y-te: {name: a, mail: b}}", "agencies.so-y-te.mail"),
        (
            f"version: 1\nagencies: {{a: {TWICE}, b: {TWICE}}}",
            "dc.1.1: stands twice",
        ),
        (
            "version: 1\nagencies: {a: {name: A, answers_for: [dc.9]}}",
            "agencies.a.answers_for: the catalogue does not know dc.9",
        ),
        ("version: [", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AgenciesError, match=message):
        agencies.load(written(tmp_path, text), catalogue.load())
