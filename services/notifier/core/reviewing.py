"""Write a digest: compare two measures of the figures of a unit, or of the units below it.

What `disclosure` withholds does not get into it: nobody can be made out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from services.notifier.core.disclosure import counts_people, withheld
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
    lines = _lines(area_id, measures, domain, occasion.until)
    own = worst_first(one for one in fires if one.key.area == area_id and one.kind == "pace")
    lagging = tuple(
        _lagging(one, lines, domain, promises.get(one.id), local_day(now)) for one in own
    )
    reports = tuple(_reports(fires, area_id))
    rows = _rows(area_id, measures, fires, domain, occasion.until) if form == "leaders" else []
    if not lines and not reports and not any(row.cells for row in rows):
        return None
    moved = sorted(lines.values(), key=lambda line: (line.change or Decimal(0), line.indicator))
    ranked = [row for row in rows if row.change is not None]
    ranked.sort(key=lambda row: (row.change or Decimal(0), row.area))
    area = domain.areas[area_id]
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
        silent=_silent(fires) if form == "leaders" else (),
        sets=_sets(domain) if form == "leaders" else (),
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
        if figure is None or not is_judged(indicator, key.basis):
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
            gap_people=stands.gap_people,
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
    return standing(indicator, figure, today)


def _rows(
    area: str, measures: Measures, fires: Sequence[Alert], domain: Domain, today: date
) -> list[DigestRow]:
    lags: dict[str, set[str]] = {}
    missing: dict[str, int] = {}
    for one in fires:
        if one.kind == "pace":
            lags.setdefault(one.key.area, set()).add(one.key.indicator)
        elif one.reason.value == "report-missing":
            missing[one.key.area] = missing.get(one.key.area, 0) + 1
    rows = []
    for below in children_on(domain.areas, area, today):
        lines = _lines(below, measures, domain, today)
        behind = lags.get(below, set()) & lines.keys()
        changes = [line.change for line in lines.values() if line.change is not None]
        rows.append(
            DigestRow(
                area=below,
                area_name=domain.areas[below].name,
                cells=tuple(_cells(lines.keys(), behind, domain)) if lines else (),
                lagging=len(behind),
                change=two_decimals(sum(changes, Decimal(0)) / len(changes)) if changes else None,
                missing_reports=missing.get(below, 0),
            )
        )
    return rows


def _sets(domain: Domain) -> tuple[DigestSet, ...]:
    judged = (one.set for one in domain.catalogue if one.targets.dated())
    return tuple(DigestSet(set=name, name=_SETS.get(name, name)) for name in dict.fromkeys(judged))


def _cells(shown: Iterable[str], behind: set[str], domain: Domain) -> Iterable[DigestCell]:
    of_set = {one: domain.catalogue.by_id[one].set for one in shown}
    for each in _sets(domain):
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


def _silent(fires: Iterable[Alert]) -> tuple[str, ...]:
    feeds = {one.key.indicator for one in fires if one.key.indicator.startswith(SOURCE_PREFIX)}
    return tuple(wording.feed_name(feed.removeprefix(SOURCE_PREFIX)) for feed in sorted(feeds))


def _addressee(area: Area, form: Form) -> str:
    return f"Lãnh đạo {wording.office(area)}" if form == "leaders" else wording.office(area)
