"""Households, organisations, institutions and dossiers: the latest state counts until closed."""

from tests.oracle.said import Said
from tests.oracle.tally import Tally
from tests.oracle.territory import Territory


def count(events: list[Said], territory: Territory, tally: Tally) -> None:
    """Count one subject that is not a citizen, given all its events in order."""
    last = events[-1]
    if last.name == "registry.subject-closed":
        return
    data = last.data
    unit = territory.unit(data["area"], last.day)

    def satisfies(indicator: str, satisfied: bool) -> None:
        tally.count(unit, indicator, satisfied=satisfied)

    match last.name:
        case "telecom.fibre-changed":
            satisfies("ds.fibre", data["covered"])
            satisfies("dt.soc.4", data["subscribed"])
        case "public-service.dossier-changed":
            satisfies("dt.gov.2", data["authenticated"])
            satisfies("dt.gov.3", data["level"] in {3, 4})
            if data["satisfied"] is not None:
                satisfies("dt.gov.4", data["satisfied"])
        case "registry.organisation-changed":
            satisfies("dt.soc.1", data["cashless"])
            if data["size"] != "public":
                satisfies("dt.eco.4", data["e_invoice"])
                satisfies("dt.eco.5", data["e_contract"])
            if data["size"] in {"micro", "small", "medium"}:
                satisfies("dt.eco.3", data["platform"])
        case "registry.institution-changed":
            if data["kind"] == "health-facility":
                satisfies("dt.soc.3a" if data["urban"] else "dt.soc.3b", data["cashless_fees"])
            else:
                satisfies("dt.soc.2a" if data["urban"] else "dt.soc.2b", data["cashless_fees"])
            if data["kind"] in {"college", "vocational"}:
                satisfies("ds.colleges", data["digital_model"])
            if data["kind"] in {"primary", "secondary", "high"}:
                satisfies("ds.schools", data["digital_model"])
                satisfies("dt.soc.9", data["stem"])
        case other:
            raise ValueError(f"{other} is not about a {last.kind}")
