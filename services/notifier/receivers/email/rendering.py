"""Render a letter as text and as HTML with its charts, in the language of its receiver."""

from email.charset import QP, Charset
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.notifier.core.layout import lay_out
from services.notifier.core.letter import Letter
from services.notifier.core.sheet import Sheet
from services.notifier.core.wording import Language
from services.notifier.receivers.email import chart

_PACKAGE: Final = "services.notifier.receivers.email"

#: Quoted-printable: any mail server takes it, and lines stay short.
_UTF8: Final = Charset("utf-8")
_UTF8.body_encoding = QP


def as_text(letter: Letter, language: Language = "vi") -> str:
    """The letter as plain text."""
    return _text(lay_out(letter, language))


def as_html(letter: Letter, language: Language = "vi") -> str:
    """The letter as an HTML page that fetches nothing: its charts come as parts beside it."""
    return _html(lay_out(letter, language))


def content(letter: Letter, language: Language = "vi") -> MIMEMultipart:
    """The body of a mail: the letter as text and, better, as HTML with charts.

    Built by the older classes of `email`: the newer ones drop a blank where a long subject in
    Vietnamese is folded.
    """
    sheet = lay_out(letter, language)
    body = MIMEMultipart("alternative")
    body.attach(MIMEText(_text(sheet), "plain", _UTF8))  # type: ignore[arg-type]  # typeshed
    page = MIMEText(_html(sheet), "html", _UTF8)  # type: ignore[arg-type]  # typeshed
    charts = [
        section.chart
        for block in sheet.blocks
        for section in block.sections
        if section.chart is not None
    ]
    if not charts:
        body.attach(page)
        return body
    related = MIMEMultipart("related", type="text/html")
    related.attach(page)
    for number, one in enumerate(charts, 1):
        image = MIMEImage(chart.drawn(one.trend, language), "png")
        image["Content-ID"] = f"<{one.id}>"
        image["Content-Disposition"] = f'inline; filename="{number}.png"'
        related.attach(image)
    body.attach(related)
    return body


def _text(sheet: Sheet) -> str:
    return _environment().get_template("letter.txt.j2").render(sheet=sheet)


def _html(sheet: Sheet) -> str:
    size = (chart.WIDTH, chart.HEIGHT)
    return _environment().get_template("letter.html.j2").render(sheet=sheet, size=size)


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
