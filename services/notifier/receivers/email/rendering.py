"""Render a letter as text and as HTML, in Vietnamese."""

from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.notifier.core import wording
from services.notifier.core.letter import Letter

_PACKAGE: Final = "services.notifier.receivers.email"


def as_text(letter: Letter) -> str:
    """The letter as plain text."""
    return _environment().get_template("letter.txt.j2").render(letter=letter)


def as_html(letter: Letter) -> str:
    """The letter as an HTML page of its own, without anything to fetch."""
    return _environment().get_template("letter.html.j2").render(letter=letter)


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
    )
    return environment
