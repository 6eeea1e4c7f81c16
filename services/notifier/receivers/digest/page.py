"""The digest for leaders on paper: a PDF of one or two pages, set by typst from a template.

The fonts are those that typst brings along, so a page looks the same wherever it is made, and they
are embedded. A file is PDF/A: it can be kept as a record.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from services.notifier.core.digest import Digest
from services.notifier.core.digest_layout import lay_out
from services.notifier.core.digest_speech import DigestSpeech
from services.notifier.core.wording import Language

MEDIA_TYPE: Final = "application/pdf"

LONGEST: Final = 8
"""So many indicators that lag are named on paper; the workbook has them all."""

_HERE: Final = Path(__file__).parent
_SECONDS: Final = 60


class PageError(Exception):
    """A digest could not be set; the message is what typst says."""


def as_pdf(digest: Digest, language: Language = "vi") -> bytes:
    """The digest as a PDF; the same digest makes the same file. Takes part of a second.

    Raises:
        PageError: it cannot be set.
    """
    said = asdict(lay_out(digest, language))
    left_out = len(digest.lagging) - LONGEST
    speech = DigestSpeech(language)
    said["entries"] = said["entries"][:LONGEST]
    said["legend"] = speech.say("page_bar")
    said["more"] = speech.say("page_more", n=left_out) if left_out > 0 else None
    asked = {
        "template": str(_HERE / "templates" / "digest.typ"),
        "sheet": said,
        "timestamp": int(digest.written_at.timestamp()),
    }
    done = subprocess.run(  # noqa: S603 - a program of our own, and what it reads is data
        [sys.executable, "-P", str(_HERE / "setting.py")],
        input=json.dumps(asked).encode(),
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise PageError(f"the digest cannot be set: {done.stderr.decode(errors='replace')}")
    return done.stdout


def file_name(digest: Digest) -> str:
    """What the file is called: letters that every mail program takes."""
    return f"nhipso-{digest.area.replace(':', '-')}-{digest.period}.pdf"
