"""Render a digest as text and as HTML, in the language of its receiver."""

from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.notifier.core.digest import Digest
from services.notifier.core.digest_layout import lay_out
from services.notifier.core.wording import Language

_PACKAGE: Final = "services.notifier.receivers.digest"


def as_text(digest: Digest, language: Language = "vi") -> str:
    """The digest as plain text."""
    return _rendered("digest.txt.j2", digest, language)


def as_html(digest: Digest, language: Language = "vi") -> str:
    """The digest as an HTML page of its own, without anything to fetch."""
    return _rendered("digest.html.j2", digest, language).lstrip()


def _rendered(template: str, digest: Digest, language: Language) -> str:
    return _environment().get_template(template).render(sheet=lay_out(digest, language))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=select_autoescape(["html", "html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
