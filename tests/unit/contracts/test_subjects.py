import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.subjects import (
    PERSONAL_KINDS,
    SubjectError,
    SubjectKind,
    edge_pattern,
    inside_pattern,
    parse_edge,
    parse_inside,
)

PSEUDONYM = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("subject", "kind", "identifier"),
    [
        ("citizen:000000000001", SubjectKind.CITIZEN, "000000000001"),
        ("household:HK-1.a_b", SubjectKind.HOUSEHOLD, "HK-1.a_b"),
        ("organisation:0000000001", SubjectKind.ORGANISATION, "0000000001"),
        ("organisation:0000000001002", SubjectKind.ORGANISATION, "0000000001002"),
        ("institution:" + "x" * 64, SubjectKind.INSTITUTION, "x" * 64),
        ("dossier:000.00.00.H15-1", SubjectKind.DOSSIER, "000.00.00.H15-1"),
        ("agency:so-ttt", SubjectKind.AGENCY, "so-ttt"),
        ("area:2025:02647", SubjectKind.AREA, "2025:02647"),
        ("area:legacy:132", SubjectKind.AREA, "legacy:132"),
        ("area:2025:15", SubjectKind.AREA, "2025:15"),
    ],
)
def test_a_subject_in_edge_form_has_a_kind_and_an_identifier(
    subject: str, kind: SubjectKind, identifier: str
) -> None:
    assert parse_edge(subject) == (kind, identifier)


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "citizen",
        "citizen:",
        ":000000000001",
        "Citizen:000000000001",
        "person:000000000001",
        "citizen:00000000001",
        "citizen:0000000000011",
        "citizen:00000000000１",
        "citizen:000000000001\n",
        " citizen:000000000001",
        "citizen: 000000000001",
        "citizen:" + PSEUDONYM,
        "household:",
        "household:" + "x" * 65,
        "household:hộ-1",
        "household:a b",
        "household:a/b",
        "household:a:b",
        "organisation:000000001",
        "organisation:00000000011",
        "organisation:000000000112",
        "organisation:0000000001-002",
        "area:02647",
        "area:2025:",
        "area:2025:02647:1",
        "area:2025:026470",
    ],
)
def test_another_form_is_refused_without_repeating_the_identifier(subject: str) -> None:
    with pytest.raises(SubjectError) as refusal:
        parse_edge(subject)
    kind, _, identifier = subject.partition(":")
    assert not identifier or kind == "area" or identifier not in str(refusal.value)


@given(st.sampled_from(sorted(SubjectKind)), st.text(min_size=9, max_size=40))
def test_a_refusal_never_shows_what_was_sent(kind: str, identifier: str) -> None:
    try:
        parse_edge(f"{kind}:{identifier}")
    except SubjectError as refusal:
        assert identifier not in str(refusal)  # noqa: PT017  # most texts are refused, not all


@pytest.mark.parametrize("kind", sorted(PERSONAL_KINDS))
def test_inside_citizens_and_households_are_pseudonyms(kind: SubjectKind) -> None:
    assert parse_inside(f"{kind}:{PSEUDONYM}") == (kind, PSEUDONYM)
    for identifier in ("000000000001", PSEUDONYM.upper(), PSEUDONYM[1:], PSEUDONYM + "0"):
        with pytest.raises(SubjectError):
            parse_inside(f"{kind}:{identifier}")


def test_inside_all_other_kinds_stay() -> None:
    for subject in ("organisation:0000000001", "dossier:H15-1", "area:2025:02647", "agency:so-ttt"):
        assert parse_inside(subject) == parse_edge(subject)


@pytest.mark.parametrize("form", ["edge", "inside"])
@given(st.data())
def test_a_pattern_takes_what_the_parser_takes(form: str, data: st.DataObject) -> None:
    make, parse = (edge_pattern, parse_edge) if form == "edge" else (inside_pattern, parse_inside)
    kinds = data.draw(st.lists(st.sampled_from(list(SubjectKind)), min_size=1, unique=True))
    subject = data.draw(st.from_regex(make(*SubjectKind), fullmatch=True))
    kind, _ = parse(subject)
    assert bool(re.fullmatch(make(*kinds), subject)) == (kind in kinds)
