"""The page of one indicator: what it says, where it comes from, and how the communes stand."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.dashboard import wording
from services.dashboard.answers import IndicatorAnswer
from services.dashboard.ranking import Ranking


@dataclass(frozen=True, slots=True)
class Part:
    """A criterion of a composite indicator."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class DefinitionPage:
    """One indicator. `ranking` is None where communes have no share in it of their own."""

    id: str
    name: str
    set_name: str
    counted: str
    document: str
    sentence: str
    targets: tuple[str, ...]
    criteria: tuple[Part, ...]
    ranking: Ranking | None
    has_alerts: bool


def definition(
    indicator: IndicatorAnswer,
    catalogue: Mapping[str, IndicatorAnswer],
    ranking: Ranking | None,
    *,
    has_alerts: bool,
) -> DefinitionPage:
    """Bring an indicator's page together; `has_alerts`: the notifier has told what fires."""
    source = indicator.source
    return DefinitionPage(
        id=indicator.id,
        name=indicator.name.vi,
        set_name=wording.SETS.get(indicator.set, indicator.set),
        counted=_counted(indicator),
        document="" if source is None else source.document,
        sentence="" if source is None else source.sentence,
        targets=_targets(indicator),
        criteria=tuple(
            Part(one, catalogue[one].name.vi) for one in indicator.criteria if one in catalogue
        ),
        ranking=ranking,
        has_alerts=has_alerts,
    )


def _counted(indicator: IndicatorAnswer) -> str:
    """Of whom the share is, or where the figure comes from."""
    if indicator.population is None:
        return "Số liệu do các đơn vị báo cáo theo kỳ"
    of = indicator.population.text.vi
    return f"Tỷ lệ trên tổng số {of[:1].lower()}{of[1:]}"


def _targets(indicator: IndicatorAnswer) -> tuple[str, ...]:
    return tuple(
        f"{wording.percent(share)} đến hết năm {year}" for year, share in indicator.targets.items()
    )
