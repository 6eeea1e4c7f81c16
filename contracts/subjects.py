"""Subjects: who or what an event is about, in edge form and in inside form.

At the edge a citizen is ``citizen:<12 digits>``; inside, on topics and in stores, the same citizen
is ``citizen:<32 hex digits>``. Households change form in the same way; all other kinds stay.
Source: wire contract, "Envelope".
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class SubjectKind(StrEnum):
    """The kinds of subject that an event may be about."""

    CITIZEN = "citizen"
    HOUSEHOLD = "household"
    ORGANISATION = "organisation"
    INSTITUTION = "institution"
    DOSSIER = "dossier"
    AGENCY = "agency"
    AREA = "area"


#: Kinds whose identifiers are personal and never leave the edge.
PERSONAL_KINDS: Final = frozenset({SubjectKind.CITIZEN, SubjectKind.HOUSEHOLD})

_KINDS: Final = {kind.value: kind for kind in SubjectKind}
_CODE = r"[A-Za-z0-9._-]{1,64}"
_PSEUDONYM = r"[0-9a-f]{32}"
_EDGE: Final = {
    SubjectKind.CITIZEN: re.compile(r"[0-9]{12}"),
    SubjectKind.HOUSEHOLD: re.compile(_CODE),
    SubjectKind.ORGANISATION: re.compile(r"[0-9]{10}(?:[0-9]{3})?"),
    SubjectKind.INSTITUTION: re.compile(_CODE),
    SubjectKind.DOSSIER: re.compile(_CODE),
    SubjectKind.AGENCY: re.compile(_CODE),
    SubjectKind.AREA: re.compile(r"[a-z0-9]{1,16}:[0-9]{2,5}"),
}
_INSIDE: Final = _EDGE | {kind: re.compile(_PSEUDONYM) for kind in PERSONAL_KINDS}

#: What an identifier of each kind looks like, for messages to people.
IDENTIFIER_FORMS: Final = {
    SubjectKind.CITIZEN: "12 digits (the citizen identification number)",
    SubjectKind.HOUSEHOLD: "1 to 64 of A-Z a-z 0-9 . _ -",
    SubjectKind.ORGANISATION: "10 or 13 digits (the tax code)",
    SubjectKind.INSTITUTION: "1 to 64 of A-Z a-z 0-9 . _ -",
    SubjectKind.DOSSIER: "1 to 64 of A-Z a-z 0-9 . _ -",
    SubjectKind.AGENCY: "1 to 64 of A-Z a-z 0-9 . _ -",
    SubjectKind.AREA: "an area id such as 2025:02647",
}


class SubjectError(ValueError):
    """A subject that is not of the contract's form. Its text never repeats the identifier."""


def _parse(subject: str, forms: dict[SubjectKind, re.Pattern[str]]) -> tuple[SubjectKind, str]:
    name, colon, identifier = subject.partition(":")
    kind = _KINDS.get(name)
    if not colon or kind is None:
        kinds = ", ".join(SubjectKind)
        raise SubjectError(f"subject must be <kind>:<identifier> with a kind out of {kinds}")
    if forms[kind].fullmatch(identifier) is None:
        raise SubjectError(f"the identifier of a {kind} must be {IDENTIFIER_FORMS[kind]}")
    return kind, identifier


def parse_edge(subject: str) -> tuple[SubjectKind, str]:
    """Split a subject in edge form into its kind and identifier.

    Raises:
        SubjectError: when it is not of the contract's form; the message shows no identifier.
    """
    return _parse(subject, _EDGE)


def parse_inside(subject: str) -> tuple[SubjectKind, str]:
    """Split a subject in inside form (pseudonyms for citizens and households).

    Raises:
        SubjectError: when it is not of the contract's form; the message shows no identifier.
    """
    return _parse(subject, _INSIDE)


def edge_pattern(*kinds: SubjectKind) -> str:
    """A regular expression (ECMA-262 too) for whole subjects of these kinds in edge form."""
    return _pattern(kinds, _EDGE)


def inside_pattern(*kinds: SubjectKind) -> str:
    """A regular expression (ECMA-262 too) for whole subjects of these kinds in inside form."""
    return _pattern(kinds, _INSIDE)


def _pattern(kinds: Iterable[SubjectKind], forms: Mapping[SubjectKind, re.Pattern[str]]) -> str:
    return "^(?:" + "|".join(f"{kind}:{forms[kind].pattern}" for kind in kinds) + ")$"
