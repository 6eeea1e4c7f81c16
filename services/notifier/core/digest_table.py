"""The table of leaders: each unit below by set of indicators."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from contracts.pace import two_decimals
from services.notifier.core.alert import Alert
from services.notifier.core.causes import Domain
from services.notifier.core.digest import DigestCell, DigestRow, DigestSet
from services.notifier.core.digest_lines import Lines

_SETS: Final = {
    "digital-citizen": ("Công dân số", "Digital citizens"),
    "digital-society": ("Xã hội số", "Digital society"),
    "digital-transformation": ("Chuyển đổi số", "Digital transformation"),
    "national-features": ("Đặc trưng xã hội số", "National features"),
}


def sets_of(units: Iterable[Lines], domain: Domain) -> tuple[DigestSet, ...]:
    """The sets of which some unit has an indicator to show, in the order of the catalogue."""
    shown = {indicator for lines in units for indicator in lines}
    names = dict.fromkeys(one.set for one in domain.catalogue if one.id in shown)
    return tuple(
        DigestSet(set=name, name=vi, name_en=en)
        for name in names
        for vi, en in (_SETS.get(name, (name, name)),)
    )


def behind_of(fires: Iterable[Alert]) -> dict[str, set[str]]:
    """Unit → the indicators that lag there."""
    found: dict[str, set[str]] = {}
    for one in fires:
        if one.kind == "pace":
            found.setdefault(one.key.area, set()).add(one.key.indicator)
    return found


def rows_of(
    units: Mapping[str, Lines], sets: Sequence[DigestSet], fires: Sequence[Alert], domain: Domain
) -> list[DigestRow]:
    """A row a unit, with what of its indicators may be shown."""
    lags = behind_of(fires)
    missing = Counter(one.key.area for one in fires if one.reason.value == "report-missing")
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


def _cells(
    shown: Iterable[str], sets: Iterable[DigestSet], behind: Collection[str], domain: Domain
) -> Iterable[DigestCell]:
    of_set = {one: domain.catalogue.by_id[one].set for one in shown}
    for each in sets:
        members = {one for one, name in of_set.items() if name == each.set}
        yield DigestCell(judged=len(members), lagging=len(members.intersection(behind)))
