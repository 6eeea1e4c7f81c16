"""The digest for leaders on paper: a PDF of one or two pages, set by typst from a template.

The fonts are those that typst brings along, so a page looks the same wherever it is made, and they
are embedded. A file is PDF/A: it can be kept as a record.
"""

import json
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import Final

import typst

from services.notifier.core.digest import Digest
from services.notifier.core.digest_layout import lay_out
from services.notifier.core.digest_speech import DigestSpeech
from services.notifier.core.wording import Language

MEDIA_TYPE: Final = "application/pdf"

LONGEST: Final = 8
"""So many indicators that lag are named on paper; the workbook has them all."""


def as_pdf(digest: Digest, language: Language = "vi") -> bytes:
    """The digest as a PDF; the same digest makes the same file."""
    said = asdict(lay_out(digest, language))
    left_out = len(digest.lagging) - LONGEST
    speech = DigestSpeech(language)
    said["entries"] = said["entries"][:LONGEST]
    said["legend"] = speech.say("page_bar")
    said["more"] = speech.say("page_more", n=left_out) if left_out > 0 else None
    made = typst.compile(
        _template(),
        font_paths=_fonts(),
        sys_inputs={"sheet": json.dumps(said, ensure_ascii=False)},
        pdf_standards=["a-2a"],
        timestamp=digest.written_at,
    )
    assert isinstance(made, bytes)  # noqa: S101 - one file, and nowhere to write it
    return made


def file_name(digest: Digest) -> str:
    """What the file is called: letters that every mail program takes."""
    return f"nhipso-{digest.area.replace(':', '-')}-{digest.period}.pdf"


@cache
def _template() -> bytes:
    return resources.files(__package__ or "").joinpath("templates", "digest.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)
