"""Shows an original without showing whose it is. Pure.

An event's attributes are shown as they were sent, but for its subject's identifier and long numbers.
Of its data, and of a source's own record, nobody knows which field names a person, so what is not
plainly harmless is hidden: texts that are no code word, date or short number, fields called after a
person or a household, and numbers that could be an identifier whose zeros were lost.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from contracts.subjects import PERSONAL_KINDS, SubjectKind
from services.ingest.core.identifiers import MASK, Identifier, claimed_identifier, redact

_DEEPEST: Final = 32
#: An identity card has nine digits; a citizen's number that was taken for one loses its zeros.
_LARGEST_SHOWN: Final = 99_999_999

_CODE: Final = re.compile(r"[a-z][a-z_.-]{0,39}|[A-Z][A-Z_]{0,39}")
_SHORT_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,8}(?:\.[0-9]{1,6})?")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2}(?:[T ][0-9:.]{5,18}(?:Z|[+-][0-9:]{4,6})?)?)?"
)
_CONTRACTS: Final = re.compile(r"vn\.nhipso\.[a-z.-]+\.v[0-9]|[a-z0-9]{1,8}:[0-9]{2,5}")

#: Parts of the names of fields that hold somebody's identifier or name, without diacritics.
_PERSONAL_NAMES: Final = (
    *("cccd", "cmnd", "cmt", "citizen", "identi", "dinhdanh", "passport", "hochieu", "ssn"),
    *("household", "hogiadinh", "hokhau", "maho", "soho", "chuho", "family", "given"),
    *("name", "hoten", "person", "patient", "subject", "phone", "dienthoai", "email", "address"),
    *("diachi", "account", "taikhoan", "reference", "display"),
)
_OTHER_KINDS: Final = frozenset(kind.value for kind in SubjectKind) - PERSONAL_KINDS
_ATTRIBUTES: Final = frozenset({"specversion", "subject"})


def masked(original: bytes, subjects: Iterable[object] = ()) -> Any:
    """The original as JSON in which no citizen's or household's identifier stands.

    Args:
        original: what was refused, unsealed.
        subjects: of the events that a mapping makes of it, as far as one does.

    Returns:
        The masked JSON; None of an original that is no JSON, in which no field can be told apart.
    """
    try:
        decoded = msgspec.json.decode(original)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    is_event = isinstance(decoded, dict) and decoded.keys() >= _ATTRIBUTES
    named = [*subjects, decoded.get("subject")] if isinstance(decoded, dict) else [*subjects]
    masks = [one for subject in named if (one := _claimed(subject)) is not None]
    return _event(decoded, masks) if is_event else _hidden(decoded, masks, 0)


def _claimed(subject: object) -> Identifier | None:
    """The identifier that a subject holds; of one that names no kind, all of it may be one."""
    if not isinstance(subject, str) or not subject.strip():
        return None
    kind, colon, identifier = subject.partition(":")
    if colon and kind in _OTHER_KINDS:
        return None
    return claimed_identifier(subject) or Identifier(identifier.strip() or subject.strip())


def _event(event: Mapping[str, Any], masks: Sequence[Identifier]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in event.items():
        if name == "subject":
            member = _subject(value, masks)
        elif isinstance(value, str) and name != "data":
            member = _redacted(value, masks)
        else:
            member = _hidden(value, masks, 0)
        shown[_redacted(name, masks)] = member
    return shown


def _subject(subject: object, masks: Sequence[Identifier]) -> Any:
    if not isinstance(subject, str):
        return None if subject is None else MASK
    kind, colon, _ = subject.partition(":")
    if colon and kind in PERSONAL_KINDS:
        return f"{kind}:{MASK}"
    return _redacted(subject, masks) if colon and kind in _OTHER_KINDS else MASK


def _hidden(value: Any, masks: Sequence[Identifier], depth: int) -> Any:
    if depth > _DEEPEST:
        return MASK
    if isinstance(value, dict):
        return {
            _redacted(name, masks): MASK
            if _is_personal(name) and not isinstance(member, dict | list | bool | None)
            else _hidden(member, masks, depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_hidden(member, masks, depth + 1) for member in value]
    if isinstance(value, str):
        return _text(value, masks)
    if isinstance(value, int | float) and not isinstance(value, bool):
        is_small = abs(value) <= _LARGEST_SHOWN
        return value if is_small and _redacted(str(value), masks) == str(value) else MASK
    return value


def _text(text: str, masks: Sequence[Identifier]) -> str:
    harmless = (_CODE, _SHORT_NUMBER, _MOMENT, _CONTRACTS)
    if text and not any(form.fullmatch(text) for form in harmless):
        return MASK
    return _redacted(text, masks)


def _redacted(text: str, masks: Sequence[Identifier]) -> str:
    for mask in masks:
        text = mask.mask(text)
    return redact(text)


def _is_personal(name: str) -> bool:
    # Vietnamese names of columns come with and without their diacritics.
    plain = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    letters = "".join(sign for sign in plain if sign.isalpha())
    return any(part in letters for part in _PERSONAL_NAMES)
