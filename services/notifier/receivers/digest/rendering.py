"""Render a digest as text and as HTML, in Vietnamese."""

from decimal import Decimal
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.notifier.core import wording
from services.notifier.core.digest import Digest

_PACKAGE: Final = "services.notifier.receivers.digest"


def as_text(digest: Digest) -> str:
    """The digest as plain text."""
    return _environment().get_template("digest.txt.j2").render(digest=digest)


def as_html(digest: Digest) -> str:
    """The digest as an HTML page of its own, without anything to fetch."""
    return _environment().get_template("digest.html.j2").render(digest=digest).lstrip()


def points(change: Decimal) -> str:
    """``+1,20 điểm``: a change in percentage points."""
    sign = "" if change == 0 else "+"
    return f"{abs(change) if change == 0 else change:{sign}.2f} điểm".replace(".", ",").replace(
        "-", "−"
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=select_autoescape(["html", "html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        percent=wording.percent,
        count=wording.count,
        day=wording.day,
        clock=wording.clock,
        within=wording.within,
        points=points,
    )
    return environment
