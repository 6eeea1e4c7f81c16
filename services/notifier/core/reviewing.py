"""Write a digest: compare two measures of the figures of a unit, or of the units below it.

What `disclosure` withholds does not get into it: nobody can be made out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.areas import Area
from contracts.pace import two_decimals
from contracts.times import local_day
from services.notifier.core import wording
from services.notifier.core.alert import SOURCE_PREFIX, Alert
from services.notifier.core.causes import Domain, children_on
from services.notifier.core.digest import (
    Digest,
    DigestCell,
    DigestLine,
    DigestReport,
    DigestRow,
    DigestSet,
    Form,
    area_of,
)
from services.notifier.core.disclosure import counts_people, is_few, withheld
from services.notifier.core.figure import Figure, FigureKey, Standing, is_judged, standing
from services.notifier.core.letter import indicator_name, worst_first
from services.notifier.core.occasion import Occasion
from services.notifier.core.reports import alert_name

LONGEST: Final = 5
"""So many indicators, and so many units, are named as the best and the worst movers."""

_SETS: Final = {
    "digital-citizen": "Công dân số",
    "digital-society": "Xã hội số",
    "digital-transformation": "Chuyển đổi số",
    "national-features": "Đặc trưng xã hội số",
}


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of a unit and those below: as measured for the period, and before it."""

    measured_at: datetime
    now: Mapping[FigureKey, Figure]
    before: Mapping[FigureKey, Figure]
    before_on: date | None


def areas_of(form: Form, area: str, domain: Domain, today: date) -> list[str]:
    """The units whose figures a digest looks at: its own first, then those directly below."""
    return [area, *children_on(domain.areas, area, today)] if form == "leaders" else [area]


def write(
    audience: str,
    occasion: Occasion,
    measures: Measures,
    domain: Domain,
    *,
    alerts: Iterable[Alert],
    promises: Mapping[UUID, date],
    now: datetime,
) -> Digest | None:
    """Write the digest of one audience; None where there is nothing to say.

    Args:
        audience: a unit or its leaders.
        occasion: what period it is about.
        measures: the figures of the units that `areas_of` names.
        domain: units, catalogue and the least denominator.
        alerts: what fires there, and which feeds are silent.
        promises: alert → the day by which its unit has promised to be done.
        now: when it is written.

    Raises:
        LookupError: the audience is none of digests, or its unit is not known.
    """
    meant = area_of(audience)
    if meant is None:
        raise LookupError(f"{audience} is no audience of digests")
    form, area_id = meant
    fires = list(alerts)
    silent = _silent(fires)
    stale = _stale(silent, domain)
    unjudged = sum(1 for key in measures.now if _is_own(key, area_id, stale, domain))
    # Of a silent source nobody knows how it stands: no unit is to look bad, or good, by that.
    known = {key: one for key, one in measures.now.items() if key.indicator not in stale}
    measures = replace(measures, now=known)
    lines = _lines(area_id, measures, domain, occasion.until)
    own = worst_first(one for one in fires if one.key.area == area_id and one.kind == "pace")
    lagging = tuple(
        _lagging(one, lines, domain, promises.get(one.id), local_day(now))
        for one in own
        if one.key in measures.now
    )
    reports = tuple(_reports(fires, area_id))
    units = {
        one: _lines(one, measures, domain, occasion.until)
        for one in areas_of(form, area_id, domain, local_day(now))[1:]
    }
    sets = _sets(units.values(), domain)
    rows = _rows(units, sets, fires, domain)
    if not (lines or reports or unjudged or sets):
        return None
    moved = sorted(lines.values(), key=lambda line: (line.change or Decimal(0), line.indicator))
    ranked = [row for row in rows if row.change is not None]
    ranked.sort(key=lambda row: (row.change or Decimal(0), row.area))
    area = domain.areas[area_id]
    is_told = form == "leaders" or unjudged > 0
    return Digest(
        audience=audience,
        form=form,
        cadence=occasion.cadence,
        period=occasion.period,
        since=occasion.since,
        until=occasion.until,
        area=area.area_id,
        area_name=area.name,
        addressee=_addressee(area, form),
        written_at=now,
        measured_at=measures.measured_at,
        compared_on=measures.before_on if measures.before else None,
        judged=len(lines),
        lagging=lagging,
        better=tuple(one for one in reversed(moved) if one.change and one.change > 0)[:LONGEST],
        worse=tuple(one for one in moved if one.change and one.change < 0)[:LONGEST],
        reports=reports,
        silent=tuple(wording.feed_name(feed) for feed in silent) if is_told else (),
        unjudged=unjudged,
        sets=sets,
        units=tuple(sorted(rows, key=lambda row: (-row.lagging, row.change or 0, row.area))),
        best=tuple(row for row in reversed(ranked) if (row.change or 0) > 0)[:LONGEST],
        worst=tuple(row for row in ranked if (row.change or 0) < 0)[:LONGEST],
    )


def _lines(area: str, measures: Measures, domain: Domain, today: date) -> dict[str, DigestLine]:
    """Indicator → its line, of the figures of a unit that are judged and may be shown."""
    found = {}
    for indicator in domain.catalogue:
        key = FigureKey(area, indicator.id, "reported" if indicator.is_reported_only else "events")
        figure = measures.now.get(key)
        aims = domain.aims(indicator, domain.areas[area])
        if figure is None or not is_judged(indicator, key.basis, aims):
            continue
        stands = _shown(figure, domain, today)
        if stands is None or stands.value is None:
            continue
        earlier = measures.before.get(key)
        then = _shown(earlier, domain, today) if earlier is not None else None
        before = then.value if then is not None else None
        found[indicator.id] = DigestLine(
            indicator=indicator.id,
            indicator_name=indicator.name.vi,
            value=stands.value,
            before=before,
            change=None if before is None else stands.value - before,
            pace=stands.pace,
            target=stands.target,
            gap_people=None if is_few(stands.gap_people) else stands.gap_people,
            noun=wording.noun(domain.catalogue, indicator),
        )
    return found


def _lagging(
    alert: Alert,
    lines: Mapping[str, DigestLine],
    domain: Domain,
    promised_on: date | None,
    today: date,
) -> DigestLine:
    line = lines.get(alert.key.indicator)
    if line is None:
        # Its figures are of few, so that it lags is all that may be said.
        line = DigestLine(
            indicator=alert.key.indicator,
            indicator_name=indicator_name(domain, alert.key.indicator),
        )
    said = {
        "severity": alert.severity,
        "promised_on": promised_on,
        "is_overdue": promised_on is not None and promised_on < today,
    }
    return line.model_copy(update=said)


def _shown(figure: Figure, domain: Domain, today: date) -> Standing | None:
    indicator = domain.catalogue.by_id[figure.key.indicator]
    reason = withheld(
        figure.numerator,
        figure.denominator,
        minimum_denominator=domain.minimum_denominator(indicator.id),
        people=counts_people(domain.catalogue, indicator),
    )
    if reason is not None:
        return None
    aims = domain.aims(indicator, domain.areas[figure.key.area])
    return standing(indicator, figure, today, aims)


def _rows(
    units: Mapping[str, Mapping[str, DigestLine]],
    sets: Sequence[DigestSet],
    fires: Iterable[Alert],
    domain: Domain,
) -> list[DigestRow]:
    lags: dict[str, set[str]] = {}
    missing: Counter[str] = Counter()
    for one in fires:
        if one.kind == "pace":
            lags.setdefault(one.key.area, set()).add(one.key.indicator)
        elif one.reason.value == "report-missing":
            missing[one.key.area] += 1
    rows = []
    for unit, lines in units.items():
        behind = lags.get(unit, set()) & lines.keys()
        changes = [line.change for line in lines.values() if line.change is not None]
        rows.append(
            DigestRow(
                area=unit,
                area_name=domain.areas[unit].name,
                cells=tuple(_cells(lines, sets, behind, domain)) if lines else (),
                lagging=len(behind),
                change=two_decimals(sum(changes, Decimal(0)) / len(changes)) if changes else None,
                missing_reports=missing[unit],
            )
        )
    return rows


def _sets(units: Iterable[Iterable[str]], domain: Domain) -> tuple[DigestSet, ...]:
    """The sets of which some unit has an indicator to show, in the order of the catalogue."""
    shown = {indicator for lines in units for indicator in lines}
    names = dict.fromkeys(one.set for one in domain.catalogue if one.id in shown)
    return tuple(DigestSet(set=name, name=_SETS.get(name, name)) for name in names)


def _cells(
    shown: Iterable[str], sets: Iterable[DigestSet], behind: set[str], domain: Domain
) -> Iterable[DigestCell]:
    of_set = {one: domain.catalogue.by_id[one].set for one in shown}
    for each in sets:
        members = {one for one, name in of_set.items() if name == each.set}
        yield DigestCell(set_name=each.name, judged=len(members), lagging=len(members & behind))


def _reports(fires: Iterable[Alert], area: str) -> Iterable[DigestReport]:
    awaited = [one for one in fires if one.kind == "report" and one.key.area == area]
    for one in sorted(awaited, key=lambda one: (one.due_on or date.max, one.key.indicator)):
        yield DigestReport(
            name=alert_name(one.key.indicator) or one.key.indicator,
            is_missing=one.reason.value == "report-missing",
            due_on=one.due_on,
            received=one.standing.numerator,
            expected=one.standing.denominator,
        )


def _is_own(key: FigureKey, area: str, indicators: set[str], domain: Domain) -> bool:
    """Whether a figure is the unit's own, of one of these indicators, and would be judged."""
    if key.area != area or key.indicator not in indicators:
        return False
    indicator = domain.catalogue.by_id[key.indicator]
    return is_judged(indicator, key.basis, domain.aims(indicator, domain.areas[area]))


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


def _addressee(area: Area, form: Form) -> str:
    return f"Lãnh đạo {wording.office(area)}" if form == "leaders" else wording.office(area)
