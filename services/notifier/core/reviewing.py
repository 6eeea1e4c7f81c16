"""Write a digest: compare two measures of the figures of a unit, and of the units below it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.agencies import Agency
from contracts.areas import Area
from contracts.times import local_day
from services.notifier.core import wording
from services.notifier.core.agency import agency_of
from services.notifier.core.alert import SOURCE_PREFIX, Alert
from services.notifier.core.causes import Domain, children_on
from services.notifier.core.digest import Digest, DigestLine, DigestReport, Reader
from services.notifier.core.digest_lines import (
    Lines,
    Measures,
    lagging_line,
    lines_of,
    nearest_to_lagging,
    with_units,
)
from services.notifier.core.digest_table import behind_of, rows_of, sets_of
from services.notifier.core.figure import FigureKey, is_judged
from services.notifier.core.letter import worst_first
from services.notifier.core.occasion import Occasion
from services.notifier.core.reports import alert_name, alert_name_en

LONGEST: Final = 5
"""So many indicators, and so many units, are named as the best and the worst movers."""


def areas_of(reader: Reader, domain: Domain, today: date) -> list[str]:
    """The units whose figures a digest looks at: its own first, then those directly below."""
    if reader.form == "unit":
        return [reader.area]
    return [reader.area, *children_on(domain.areas, reader.area, today)]


def write(
    reader: Reader,
    occasion: Occasion,
    measures: Measures,
    domain: Domain,
    *,
    alerts: Iterable[Alert],
    promises: Mapping[UUID, date],
    now: datetime,
) -> Digest | None:
    """Write the digest of one reader; None where there is nothing to say.

    Args:
        reader: whom it is for, and which unit it is about.
        occasion: what period it is about.
        measures: the figures of the units that `areas_of` names.
        domain: units, agencies, catalogue and the least denominator.
        alerts: what fires there, and which feeds are silent.
        promises: alert → the day by which its unit has promised to be done.
        now: when it is written.

    Raises:
        LookupError: its unit or agency is not known.
    """
    today = local_day(now)
    area = domain.areas[reader.area]
    agency = _agency(reader, domain)
    meant = {one.id for one in domain.catalogue}.intersection(
        agency.answers_for if agency is not None else domain.catalogue.by_id
    )
    fires = list(alerts)
    silent = _silent(fires)
    stale = _stale(silent, domain) & meant
    unjudged = sum(1 for key in measures.now if _is_own(key, area, stale, domain))
    # Of a silent source nobody knows how it stands: no unit is to look bad, or good, by that.
    told = {key: one for key, one in measures.now.items() if key.indicator in meant - stale}
    measures = replace(measures, now=told)
    lines = lines_of(area.area_id, measures, domain, occasion.until)
    own = worst_first(one for one in fires if one.key.area == area.area_id and one.kind == "pace")
    lagging = [
        lagging_line(one, lines, domain, promises.get(one.id), today)
        for one in own
        if one.key in measures.now
    ]
    units = {
        one: lines_of(one, measures, domain, occasion.until)
        for one in areas_of(reader, domain, today)[1:]
    }
    digest = Digest(
        audience=reader.audience,
        form=reader.form,
        cadence=occasion.cadence,
        period=occasion.period,
        since=occasion.since,
        until=occasion.until,
        area=area.area_id,
        area_name=area.name,
        **_addressee(area, agency, is_leader=reader.form == "leaders"),
        written_at=now,
        measured_at=measures.measured_at,
        compared_on=measures.before_on if measures.before else None,
        judged=len(lines),
        lagging=tuple(lagging),
        better=(),
        worse=(),
        reports=() if agency is not None else tuple(_reports(fires, area.area_id)),
        silent=tuple(
            feed
            for feed in silent
            if reader.form == "leaders" or (unjudged and _stale([feed], domain) & stale)
        ),
        unjudged=unjudged,
        below_pace=_below_pace(lines, lagging),
    )
    if agency is not None:
        digest = digest.model_copy(update=_of_agency(digest, lines, units, fires, domain))
    else:
        digest = digest.model_copy(update=_movers(lines))
    if reader.form == "leaders":
        digest = digest.model_copy(update=_table(units, fires, domain))
    is_any = lines or digest.reports or unjudged or digest.sets
    return digest if is_any else None


def _below_pace(lines: Lines, lagging: Iterable[DigestLine]) -> int:
    lags = {one.indicator for one in lagging}
    return sum(
        1
        for one in lines.values()
        if one.indicator not in lags
        and one.value is not None
        and one.pace is not None
        and one.value < one.pace
    )


def _movers(lines: Lines) -> dict[str, object]:
    """What got better and what got worse, most first."""
    moved = sorted(lines.values(), key=lambda line: (line.change or Decimal(0), line.indicator))
    return {
        "better": tuple(one for one in reversed(moved) if one.change and one.change > 0)[:LONGEST],
        "worse": tuple(one for one in moved if one.change and one.change < 0)[:LONGEST],
    }


def _of_agency(
    digest: Digest,
    lines: Lines,
    units: Mapping[str, Lines],
    fires: Iterable[Alert],
    domain: Domain,
) -> dict[str, object]:
    """All indicators that an agency answers for, with the units that hold each back."""
    behind = behind_of(fires)
    lags = {one.indicator for one in digest.lagging}
    others = sorted(
        (one for one in lines.values() if one.indicator not in lags), key=nearest_to_lagging
    )
    return {
        "lagging": tuple(with_units(one, units, behind, domain) for one in digest.lagging),
        "others": tuple(with_units(one, units, behind, domain) for one in others),
    }


def _table(units: Mapping[str, Lines], fires: Sequence[Alert], domain: Domain) -> dict[str, object]:
    """The units below by set, and those that moved most."""
    sets = sets_of(units.values(), domain)
    rows = rows_of(units, sets, fires, domain)
    ranked = [row for row in rows if row.change is not None]
    ranked.sort(key=lambda row: (row.change or Decimal(0), row.area))
    return {
        "sets": sets,
        "units": tuple(sorted(rows, key=lambda row: (-row.lagging, row.change or 0, row.area))),
        "best": tuple(row for row in reversed(ranked) if (row.change or 0) > 0)[:LONGEST],
        "worst": tuple(row for row in ranked if (row.change or 0) < 0)[:LONGEST],
    }


def _reports(fires: Iterable[Alert], area: str) -> Iterable[DigestReport]:
    awaited = [one for one in fires if one.kind == "report" and one.key.area == area]
    for one in sorted(awaited, key=lambda one: (one.due_on or date.max, one.key.indicator)):
        yield DigestReport(
            name=alert_name(one.key.indicator) or one.key.indicator,
            name_en=alert_name_en(one.key.indicator) or one.key.indicator,
            is_missing=one.reason.value == "report-missing",
            due_on=one.due_on,
            received=one.standing.numerator,
            expected=one.standing.denominator,
        )


def _is_own(key: FigureKey, area: Area, indicators: Collection[str], domain: Domain) -> bool:
    """Whether a figure is the unit's own, of one of these indicators, and would be judged."""
    if key.area != area.area_id or key.indicator not in indicators:
        return False
    indicator = domain.catalogue.by_id[key.indicator]
    return is_judged(indicator, key.basis, domain.aims(indicator, area))


def _silent(fires: Iterable[Alert]) -> list[str]:
    """The feeds that are silent."""
    feeds = (one.key.indicator for one in fires if one.kind == "source-silent")
    return sorted({feed.removeprefix(SOURCE_PREFIX) for feed in feeds})


def _stale(silent: Iterable[str], domain: Domain) -> set[str]:
    """The indicators that are judged by what silent feeds tell."""
    feeds = frozenset(silent)
    return {
        one.id
        for one in domain.catalogue
        if not one.is_reported_only and domain.catalogue.feeds_of(one) & feeds
    }


def _agency(reader: Reader, domain: Domain) -> Agency | None:
    if reader.form != "agency":
        return None
    agency = agency_of(reader.audience, domain.agencies)
    if agency is None:
        raise LookupError(f"{reader.audience} is no agency that answers for indicators")
    return agency


def _addressee(area: Area, agency: Agency | None, *, is_leader: bool) -> dict[str, str]:
    if agency is not None:
        return {"addressee": agency.name, "addressee_en": agency.name, "agency": agency.name}
    vi, en = wording.office(area), wording.office_en(area)
    if is_leader:
        vi, en = f"Lãnh đạo {vi}", f"The leaders of the {en}"
    return {"addressee": vi, "addressee_en": en}
