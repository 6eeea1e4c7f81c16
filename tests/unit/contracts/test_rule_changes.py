"""What a new catalogue says otherwise, in words."""

import json
from typing import Any

from contracts.catalogue import Catalogue, dumped, load
from contracts.rule_changes import IndicatorChange, Kind, indicator_changes, new_facts
from contracts.subjects import SubjectKind

SHIPPED = load()


def form() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(dumped(SHIPPED)))
    return found


def indicator(of: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in of["indicators"] if one["id"] == name)
    return found


def changes(after: dict[str, Any]) -> list[IndicatorChange]:
    return indicator_changes(SHIPPED, Catalogue.model_validate(after))


def test_the_same_catalogue_says_nothing_otherwise() -> None:
    assert changes(form()) == []
    assert new_facts(SHIPPED, SHIPPED) == []


def test_another_window_is_told_of_every_indicator_that_asks_for_it() -> None:
    after = form()
    after["conditions"]["payment-in-90-days"]["within_days"] = 60
    line = (
        'condition payment-in-90-days: {"fact":"payment","within_days":90} → '
        '{"fact":"payment","within_days":60}'
    )
    found = changes(after)
    assert [one.indicator for one in found] == ["dc.3.2", "dc.group-3", "dc.digital-citizen"]
    assert all(one.kind is Kind.CHANGED and one.says == (line,) for one in found)


def test_another_population_and_numerator_are_told_with_what_they_ask() -> None:
    after = form()
    indicator(after, "ds.smartphone").update(
        population="citizens-15", numerator={"any": ["smartphone", "app-active"]}
    )
    (found,) = changes(after)
    assert found.says == (
        "counted when: `smartphone` → (`smartphone` or `app-active`)",
        (
            "who counts: Citizens aged 18 and over (each citizen with `aged-18`) → "
            "Citizens aged 15 and over (each citizen with `aged-15`)"
        ),
        'condition aged-15: {"age":{"from":15}}',
        'condition app-active: {"fact":"app-yenbai-s","is":{"active":[true]}}',
    )


def test_what_counts_nobody_elsewhere_is_told_by_its_name() -> None:
    after = form()
    indicator(after, "ds.smartphone").update(targets={"2030": 95}, note="raised")
    (found,) = changes(after)
    assert found.says == ("another targets", "another note")


def test_what_comes_and_what_goes() -> None:
    after = form()
    new = indicator(after, "ds.smartphone") | {"id": "ds.new", "bit": 62}
    reported = indicator(after, "dt.eco.1") | {"id": "ds.said"}
    after["indicators"] = [one for one in after["indicators"] if one["id"] != "ds.fibre"] + [
        new,
        reported,
    ]
    assert changes(after) == [
        IndicatorChange(
            "ds.new",
            Kind.ADDED,
            (
                "who counts: Citizens aged 18 and over (each citizen with `aged-18`)",
                "counted when: `smartphone`",
            ),
        ),
        IndicatorChange("ds.said", Kind.ADDED, ("reported by units",)),
        IndicatorChange("ds.fibre", Kind.REMOVED, ()),
    ]


def test_a_fact_in_a_new_slot_is_told_since_it_starts_empty() -> None:
    after = form()
    payment = next(one for one in after["subjects"][0]["facts"] if one["name"] == "payment")
    after["subjects"][0]["facts"].append(
        payment | {"name": "card", "slot": 40, "where": {"method": "card"}}
    )
    ((kind, fact),) = new_facts(SHIPPED, Catalogue.model_validate(after))
    assert (kind, fact.name) == (SubjectKind.CITIZEN, "card")
