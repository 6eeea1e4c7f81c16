"""Lay a digest out in one language: which sentences it has, in which order."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from services.notifier.core.digest import Digest, DigestLine, DigestReport, DigestRow
from services.notifier.core.digest_sheet import (
    Columns,
    DigestEntry,
    DigestSheet,
    DigestTable,
    DigestUnit,
)
from services.notifier.core.digest_speech import DigestSpeech
from services.notifier.core.sheet import Link, Listing
from services.notifier.core.wording import Language

_DASH = "–"


def lay_out(digest: Digest, language: Language = "vi") -> DigestSheet:
    """The digest in words of one language."""
    speech = DigestSpeech(language)
    period, within = speech.period(digest), speech.unit_within(digest.area_name)
    about = "about_agency" if digest.form == "agency" else "about"
    notes = []
    if not digest.lagging:
        none = "none_lags" if digest.judged else "none_lags_alone"
        notes.append(speech.say(none, n=digest.judged))
    if digest.below_pace:
        notes.append(speech.say("below_pace", n=digest.below_pace))
    if digest.unjudged:
        names = ", ".join(map(speech.source, digest.silent))
        notes.append(speech.say("unjudged", n=digest.unjudged, names=names))
    is_leaders = digest.form == "leaders"
    return DigestSheet(
        language=language,
        subject=speech.subject(digest),
        title=speech.say("title", period=period),
        area=speech.unit(digest.area_name),
        greeting=speech.say("dear", addressee=speech.addressee(digest)),
        opening=speech.say(about, period=period, within=within, agency=speech.agency(digest)),
        measured=speech.measured(digest),
        summary=tuple(_summary(speech, digest)) if is_leaders else (),
        heading=speech.say("lagging", n=len(digest.lagging)) if digest.lagging else None,
        columns=Columns(
            *map(speech.say, ("h_indicator", "h_now", "h_pace", "h_bar", "h_change", "h_gap"))
        ),
        entries=tuple(
            _entry(speech, number, line) for number, line in enumerate(digest.lagging, 1)
        ),
        notes=tuple(notes),
        listings=tuple(_listings(speech, digest)),
        table=_table(speech, digest) if is_leaders else None,
        attached=speech.say("attached") if is_leaders else None,
        regards=speech.say("regards"),
        footer=f"{speech.say(f'footer_{digest.cadence}')} {speech.say('footer')}",
        page_footer=speech.say("page_footer"),
        link=Link(speech.say("page"), digest.page_url) if digest.page_url else None,
        contact=speech.say("contact", contact=digest.contact) if digest.contact else None,
    )


def _summary(speech: DigestSpeech, digest: Digest) -> Iterator[str]:
    """How the unit and those below stand, at a glance."""
    if digest.judged:
        yield speech.say("lag_of", lagging=len(digest.lagging), judged=digest.judged)
    judged = [row for row in digest.units if row.cells]
    if judged:
        lagging = sum(1 for row in judged if row.lagging)
        yield speech.say("units_of", lagging=lagging, judged=len(judged))
    if missing := sum(1 for row in digest.units if row.missing_reports):
        yield speech.say("reports_of", units=missing)


def _stands(speech: DigestSpeech, line: DigestLine, how: str = "stands") -> str:
    """``Hiện đạt 45,20% (+1,20 điểm); theo tiến độ cần đạt 50%``, without a full stop."""
    said = speech.say(how, value=speech.percent(line.value))
    if line.change is not None:
        said += speech.say("moved", points=speech.change(line.change))
    if line.pace is not None:
        said += speech.say("pace", pace=speech.percent(line.pace))
    return said


def _entry(speech: DigestSpeech, number: int, line: DigestLine) -> DigestEntry:
    gap = f"{speech.count(line.gap_people)} {speech.counted(line)}" if line.gap_people else _DASH
    promise = ""
    if line.promised_on is not None:
        said = "overdue" if line.is_overdue else "promised"
        promise = speech.say(said, day=speech.day(line.promised_on))
    severity = line.severity or "info"
    return DigestEntry(
        title=f"{number}. {speech.name(line)}",
        severity=severity,
        label=speech.say(severity),
        standing=_standing(speech, line),
        cells=(
            speech.percent(line.value),
            speech.percent(line.pace),
            speech.signed(line.change),
            gap,
        ),
        promise=promise,
        is_overdue=line.is_overdue,
        share=_bar(line.value),
        pace=_bar(line.pace),
        listing=_holding(speech, line),
    )


def _standing(speech: DigestSpeech, line: DigestLine) -> str:
    if line.value is None:
        return speech.say("few")
    said = f"{_stands(speech, line)}."
    if line.gap_people:
        gap, noun = speech.count(line.gap_people), speech.counted(line)
        said += speech.say("gap", gap=gap, noun=noun)
    if line.units_judged:
        said += " " + _units_lagging(speech, line)
    return said


def _units_lagging(speech: DigestSpeech, line: DigestLine) -> str:
    return speech.say("units_lagging", lagging=line.units_lagging, judged=line.units_judged)


def _holding(speech: DigestSpeech, line: DigestLine) -> Listing | None:
    """The units that hold an indicator back."""
    if not line.held_back:
        return None
    noun = speech.counted(line)
    return Listing(
        speech.say("areas"),
        tuple(
            speech.holding(one.area_name, one.gap_people, noun, one.value) for one in line.held_back
        ),
    )


def _listings(speech: DigestSpeech, digest: Digest) -> Iterator[Listing]:
    others = tuple(_other(speech, line) for line in digest.others)
    better, worse = (_moved(speech, lines) for lines in (digest.better, digest.worse))
    reports = tuple(_report(speech, one) for one in digest.reports)
    best, worst = (_units_moved(speech, rows) for rows in (digest.best, digest.worst))
    # A unit reads in a note which sources are silent, beside what hangs on them.
    silent = tuple(map(speech.source, digest.silent)) if digest.form == "leaders" else ()
    for name, lines in (
        ("others", others),
        ("better", better),
        ("worse", worse),
        ("reports", reports),
        ("best_units", best),
        ("worst_units", worst),
        ("silent", silent),
    ):
        if lines:
            yield Listing(speech.say(name), lines)


def _other(speech: DigestSpeech, line: DigestLine) -> str:
    stands = _stands(speech, line, "stands_within")
    said = speech.say("other", name=speech.name(line), stands=stands)
    return f"{said} {_units_lagging(speech, line)}" if line.units_lagging else said


def _moved(speech: DigestSpeech, lines: Sequence[DigestLine]) -> tuple[str, ...]:
    return tuple(
        speech.say(
            "from_to",
            name=speech.name(line),
            before=speech.percent(line.before),
            now=speech.percent(line.value),
            points=speech.change(line.change),
        )
        for line in lines
        if line.change is not None
    )


def _report(speech: DigestSpeech, one: DigestReport) -> str:
    said = speech.report(one.name, one.name_en)
    if one.due_on is not None:
        said += speech.say("report_due", day=speech.day(one.due_on))
    if one.expected:
        said += speech.say("report_got", got=one.received or 0, wanted=one.expected)
    return said


def _units_moved(speech: DigestSpeech, rows: Sequence[DigestRow]) -> tuple[str, ...]:
    return tuple(
        speech.say("unit_moved", name=speech.unit(row.area_name), points=speech.change(row.change))
        for row in rows
        if row.change is not None
    )


def _table(speech: DigestSpeech, digest: Digest) -> DigestTable:
    sets = tuple(map(speech.set_name, digest.sets))
    return DigestTable(
        heading=speech.say("units"),
        note=speech.say("units_note"),
        unit=speech.say("h_unit"),
        sets=sets,
        change=speech.say("h_change"),
        reports=speech.say("h_missing_reports"),
        rows=tuple(_row(speech, row, sets) for row in digest.units),
    )


def _row(speech: DigestSpeech, row: DigestRow, sets: Sequence[str]) -> DigestUnit:
    name = speech.unit(row.area_name)
    shares = [f"{one.lagging}/{one.judged}" if one.judged else _DASH for one in row.cells]
    shares = shares or [_DASH] * len(sets)
    parts = [f"{of} {share}" for of, share in zip(sets, shares, strict=True) if share != _DASH]
    if row.change is not None:
        parts.append(speech.say("row_change", points=speech.change(row.change)))
    if not row.cells:
        parts.append(speech.say("unknown"))
    if row.missing_reports:
        parts.append(speech.say("row_reports", n=row.missing_reports))
    return DigestUnit(
        name,
        cells=(*shares, speech.signed(row.change), str(row.missing_reports)),
        said=f"{name}: {'; '.join(parts)}",
    )


def _bar(share: Decimal | None) -> float | None:
    return None if share is None else float(share)
