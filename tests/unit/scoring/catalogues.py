"""The shipped catalogue, changed as a province might change it; what is refused there is refused here."""

from collections.abc import Callable
from typing import Any, Final

from contracts import catalogue
from contracts.catalogue import Catalogue, dumped
from contracts.catalogue.checking import check

#: Changes a dumped catalogue in place.
Edit = Callable[[dict[str, Any]], None]

#: A bit that no shipped indicator has.
FREE_BIT: Final = 62


def changed(*edits: Edit) -> Catalogue:
    """The shipped catalogue after these changes."""
    said = dumped(catalogue.load())
    for edit in edits:
        edit(said)
    found = Catalogue.model_validate(said)
    check(found)
    return found


def payments_count_for(days: int) -> Edit:
    """Another window for dc.3.2, which is 90 days as shipped."""

    def edit(said: dict[str, Any]) -> None:
        said["conditions"]["payment-in-90-days"]["within_days"] = days

    return edit


def adults_are_aged(years: int) -> Edit:
    """Another age for all that is asked of citizens aged 18."""

    def edit(said: dict[str, Any]) -> None:
        said["conditions"]["aged-18"]["age"]["from"] = years

    return edit


def also_internet(said: dict[str, Any]) -> None:
    """A new indicator from facts that are known already: adults with internet."""
    said["conditions"]["internet"] = {"fact": "subscription", "is": {"internet": True}}
    like = next(one for one in said["indicators"] if one["id"] == "ds.smartphone")
    new = {"id": "ds.internet", "bit": FREE_BIT, "numerator": "internet"}
    said["indicators"].append(like | new)


def no_health_records(said: dict[str, Any]) -> None:
    """An indicator given up, and the fact that it was counted from (the data of its latest)."""
    _give_up(said, "ds.health-record", "health-record-active", "health-record")


def no_telehealth(said: dict[str, Any]) -> None:
    """An indicator given up, and the fact that it was counted from (only its last time)."""
    _give_up(said, "ds.telehealth", "teleconsultation-in-365-days", "teleconsultation")


def no_households(said: dict[str, Any]) -> None:
    """A kind of subject given up, with all that was counted of it."""
    gone = {one["name"] for one in said["populations"] if one["subject"] == "household"}
    said["indicators"] = [one for one in said["indicators"] if one["population"] not in gone]
    said["populations"] = [one for one in said["populations"] if one["name"] not in gone]
    said["subjects"] = [one for one in said["subjects"] if one["kind"] != "household"]


def _give_up(said: dict[str, Any], indicator: str, condition: str, fact: str) -> None:
    said["indicators"] = [one for one in said["indicators"] if one["id"] != indicator]
    del said["conditions"][condition]
    citizen = next(one for one in said["subjects"] if one["kind"] == "citizen")
    citizen["facts"] = [one for one in citizen["facts"] if one["name"] != fact]
