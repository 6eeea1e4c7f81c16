"""A letter says whose target it speaks of: the province's, the unit's own, or the country's."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from contracts.pace import Milestone
from services.notifier.core.aim import Aims, Line
from services.notifier.core.alert import advance
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Decision, Reason
from services.notifier.core.figure import Figure, FigureKey, standing
from services.notifier.core.letter import Letter, write
from services.notifier.core.wording import Language
from services.notifier.receivers.email.rendering import as_html, as_text

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
PROVINCE, OWN, NATIONAL = (70, 90), (60, 85), (80, 95)


def line(targets: tuple[int, int], *, is_own: bool = False) -> Line:
    days = (date(2025, 12, 31), date(2030, 12, 31))
    pairs = zip(days, map(Decimal, targets), strict=True)
    return Line(tuple(Milestone(*pair) for pair in pairs), is_own=is_own)


def letter(domain: Domain, aims: Aims) -> Letter:
    key = FigureKey("2025:15", "ds.smartphone", "events")
    figure = Figure(key, 1, 550, 1000, Decimal(55), NOW, None)
    stands = standing(domain.catalogue.by_id[key.indicator], figure, NOW.date(), aims)
    decision = Decision("firing", Reason.BEHIND_PACE, "warning")
    step = advance(None, decision, kind="pace", key=key, standing=stands, now=NOW)
    assert step is not None
    return write([step.alert], {key: figure}, domain, is_reminder=False, now=NOW)


@pytest.mark.parametrize(
    ("language", "aims", "target", "other"),
    [
        ("vi", Aims(line(PROVINCE)), "Mục tiêu: 90%", None),
        ("vi", Aims(line(OWN, is_own=True)), "Mục tiêu riêng của đơn vị: 85%", None),
        (
            "vi",
            Aims(line(PROVINCE), line(NATIONAL)),
            "Mục tiêu quốc gia: 95%",
            "Theo mục tiêu của tỉnh là 90%, đến nay cần đạt 73,57%.",
        ),
        (
            "vi",
            Aims(line(NATIONAL), line(PROVINCE)),
            "Mục tiêu: 95%",
            "Theo mục tiêu quốc gia là 90%, đến nay cần đạt 73,57%.",
        ),
        (
            "vi",
            Aims(line(OWN, is_own=True), line(NATIONAL)),
            "Mục tiêu quốc gia: 95%",
            "Theo mục tiêu riêng của đơn vị là 85%, đến nay cần đạt 64,46%.",
        ),
        (
            "en",
            Aims(line(OWN, is_own=True), line(NATIONAL)),
            "National target: 95%",
            "The unit's own target is 85%; it asks for 64.46% by now.",
        ),
    ],
)
def test_whose_target_it_is(
    domain: Domain, language: Language, aims: Aims, target: str, other: str | None
) -> None:
    written = letter(domain, aims)
    said = as_text(written, language)
    lines = [one.strip() for one in said.splitlines()]
    (found,) = (at for at, one in enumerate(lines) if one.startswith(target))
    label = target.partition(":")[0]
    assert f">{label}<" in as_html(written, language).replace("&#39;", "'")
    if other is not None:
        # After the figures of the line that is judged by.
        assert lines.index(other) > found
