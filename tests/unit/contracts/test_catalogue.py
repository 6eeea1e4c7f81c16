"""The catalogue that ships holds together, and a broken one is refused with the place."""

import re
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import catalogue as room
from contracts.catalogue import (
    AgeCondition,
    All,
    AnyOf,
    Catalogue,
    CatalogueError,
    Expression,
    FactCondition,
    Indicator,
    Not,
    Satisfied,
    load,
    read,
)
from contracts.events import EVENT_MODELS, domain_of
from contracts.indicator_table import indicator_table, rule
from contracts.subjects import SubjectKind

CATALOGUE = load()
SHIPPED = Path(room.__file__).parent


def names_in(expression: Expression) -> Iterator[str]:
    """Conditions that an expression asks, through other indicators as well."""
    match expression:
        case All(all=parts) | AnyOf(any=parts):
            for part in parts:
                yield from names_in(part)
        case Not(negated=part):
            yield from names_in(part)
        case Satisfied(indicator=other):
            numerator = CATALOGUE.by_id[other].numerator
            assert numerator is not None
            yield from names_in(numerator)
        case str(name):
            yield name


def conditions_of(indicator: Indicator) -> set[str]:
    """Conditions of an indicator's numerator and population."""
    if indicator.numerator is None:
        return set()
    where = CATALOGUE.population_of(indicator).where
    return {*names_in(indicator.numerator), *(names_in(where) if where is not None else ())}


def test_there_are_58_indicators_of_which_45_are_counted_and_13_reported_only() -> None:
    assert len(list(CATALOGUE)) == len(CATALOGUE.by_id) == 58
    assert len(CATALOGUE.counted) == 45
    assert sum(indicator.is_reported_only for indicator in CATALOGUE) == 13


def test_bits_are_given_once_in_order_and_fit_a_signed_64_bit_integer() -> None:
    bits = [indicator.bit for indicator in CATALOGUE.counted]
    assert bits == sorted(set(bits), key=lambda bit: bit or 0)
    assert all(bit is not None and 0 <= bit < 63 for bit in bits)


def test_slots_are_given_once_within_a_kind_of_subject() -> None:
    for rules in CATALOGUE.subjects:
        slots = [fact.slot for fact in rules.facts]
        assert len(set(slots)) == len(slots)


def test_every_condition_population_and_event_type_is_used() -> None:
    used = set().union(*(conditions_of(indicator) for indicator in CATALOGUE))
    assert used == CATALOGUE.conditions.keys()
    populations = {indicator.population for indicator in CATALOGUE.counted}
    assert populations == {population.name for population in CATALOGUE.populations}
    facts = {fact.event_type for rules in CATALOGUE.subjects for fact in rules.facts}
    assert EVENT_MODELS.keys() - facts == {"vn.nhipso.report.figures-submitted.v1"}


def test_a_counted_indicator_asks_facts_of_the_domain_that_feeds_it() -> None:
    for indicator in CATALOGUE.counted:
        assert indicator.numerator is not None
        rules = CATALOGUE.by_kind[CATALOGUE.population_of(indicator).subject]
        domains = set()
        for name in set(names_in(indicator.numerator)):
            condition = CATALOGUE.conditions[name]
            if isinstance(condition, FactCondition):
                domains.add(domain_of(rules.fact(condition.fact).event_type))
        assert domains == CATALOGUE.feeds_of(indicator), indicator.id


def test_a_composite_depends_on_the_domains_of_its_criteria() -> None:
    digital_citizen = CATALOGUE.by_id["dc.digital-citizen"]
    assert CATALOGUE.feeds_of(digital_citizen) == {
        "telecom",
        "identity",
        "public-service",
        "payment",
        "community",
    }
    assert CATALOGUE.feeds_of(CATALOGUE.by_id["dt.eco.1"]) == {"report"}


def test_the_party_handbook_is_asked_of_party_members_alone() -> None:
    assert CATALOGUE.by_id["dc.group-1"].numerator == All(
        all=(
            *(Satisfied(indicator=f"dc.1.{number}") for number in range(1, 6)),
            AnyOf(any=(Not.model_validate({"not": "party-member"}), Satisfied(indicator="dc.1.6"))),
        )
    )


def test_no_assumption_goes_unmarked() -> None:
    """An age or a window that the official sentence does not name is said to be an assumption."""
    for indicator in CATALOGUE.counted:
        if indicator.criteria:
            continue  # the criteria say so themselves
        assumed = []
        for name in conditions_of(indicator):
            condition = CATALOGUE.conditions[name]
            if isinstance(condition, AgeCondition):
                # "trưởng thành" is of age, 18 years by the Civil Code, article 20.
                is_adult = "trưởng thành" in indicator.source.sentence
                said = "18" if is_adult else str(condition.age.lowest)
                named = is_adult or f"{said} tuổi" in indicator.source.sentence
                if str(condition.age.lowest) != said or not named:
                    assumed.append(name)
            elif isinstance(condition, FactCondition) and condition.within_days is not None:
                assumed.append(name)
        if assumed:
            note = indicator.note or ""
            assert "assumption" in note or "window" in note, f"{indicator.id}: {assumed}"


def test_every_indicator_cites_a_document_and_a_sentence() -> None:
    for indicator in CATALOGUE:
        assert len(indicator.source.document) > 20
        assert len(indicator.source.sentence) > 10


def test_targets_are_due_on_the_last_day_of_2025_and_2030() -> None:
    dated = CATALOGUE.by_id["ds.smartphone"].targets.dated()
    assert [(str(one.on), one.percent) for one in dated] == [
        ("2025-12-31", Decimal(70)),
        ("2030-12-31", Decimal(90)),
    ]
    assert CATALOGUE.by_id["dc.1.1"].targets.dated() == []


def test_an_unknown_name_raises() -> None:
    with pytest.raises(KeyError):
        CATALOGUE.by_kind[SubjectKind.CITIZEN].fact("unheard-of")
    with pytest.raises(KeyError):
        CATALOGUE.population_of(CATALOGUE.by_id["dt.eco.1"])


def test_the_page_for_people_shows_every_indicator_once() -> None:
    page = indicator_table(CATALOGUE)
    for indicator in CATALOGUE:
        assert len(re.findall(rf"^\| `{re.escape(indicator.id)}` \|", page, re.MULTILINE)) == 1
    negated = Not.model_validate({"not": {"any": ["a", {"indicator": "x.1"}]}})
    assert rule(All(all=("b", negated))) == "(`b` and not (`a` or `x.1`))"


Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[str, Edit], Catalogue]:
    """Reads a copy of the shipped catalogue in which one file was edited."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    for path in SHIPPED.glob("*.yaml"):
        shutil.copy(path, folder)

    def break_and_read(file: str, edit: Edit) -> Catalogue:
        path = folder / file
        parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
        edit(parsed)
        path.write_text(yaml.safe_dump(parsed, allow_unicode=True), encoding="utf-8")
        return read(folder)

    return break_and_read


def change(number: int, **keys: Any) -> Edit:
    return lambda parsed: parsed["indicators"][number].update(keys)


def rules(*place: str | int, to: Any) -> Edit:
    def edit(parsed: dict[str, Any]) -> None:
        inner: Any = parsed
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = to

    return edit


CITIZENS = "digital-citizen.yaml"
RULES = "rules.yaml"


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        (
            CITIZENS,
            change(0, numeratr="x"),
            "digital-citizen.yaml: dc.1.1: numeratr: there is no such key",
        ),
        (CITIZENS, change(0, feed=None), "dc.1.1: feed: "),
        (CITIZENS, change(0, id="DC"), "digital-citizen.yaml: DC: id: "),
        (CITIZENS, change(0, feed="telcom"), "dc.1.1: feed telcom is none of"),
        (CITIZENS, change(0, feed="report"), "dc.1.1: feed report and only that"),
        (CITIZENS, change(0, bit=None), "dc.1.1: bit, population and numerator go together"),
        (CITIZENS, change(0, bit=1), "dc.1.1 and dc.1.2 share bit 1"),
        (CITIZENS, change(0, bit=63), "dc.1.1: bit: "),
        (CITIZENS, change(0, id="dc.1.2"), "the indicator dc.1.2 stands 2 times"),
        (CITIZENS, change(0, population="children"), "dc.1.1: there is no population children"),
        (CITIZENS, change(0, numerator="has-phone"), "dc.1.1: there is no condition has-phone"),
        (CITIZENS, change(0, numerator={"all": []}), "dc.1.1: numerator"),
        (
            CITIZENS,
            change(0, numerator={"any": ["smartphone", {"not": "has-phone"}]}),
            "dc.1.1: there is no condition has-phone",
        ),
        (
            CITIZENS,
            change(0, numerator={"indicator": "dc.1.1"}),
            "dc.1.1: dc.1.1 → dc.1.1 runs in a circle",
        ),
        (
            CITIZENS,
            change(0, numerator={"indicator": "dt.eco.1"}),
            "dc.1.1: dt.eco.1 is not an indicator that events feed",
        ),
        (CITIZENS, change(0, numerator="fibre-covered"), "fibre-covered: a citizen has no fact"),
        (CITIZENS, change(0, population="households", numerator="aged-15"), "a household has no"),
        (
            CITIZENS,
            change(0, source={"document": "qd-1", "sentence": "…"}),
            "dc.1.1 cites an unknown document qd-1",
        ),
        (CITIZENS, change(0, source={}), "dc.1.1: source.document: "),
        (CITIZENS, change(11, criteria=["dc.9"]), "dc.group-1: there is no indicator dc.9"),
        (CITIZENS, change(11, criteria=["dc.1.1"]), "dc.group-1: a composite lists as criteria"),
        (CITIZENS, change(0, criteria=["dc.1.2"]), "dc.1.1: a composite lists as criteria"),
        (CITIZENS, change(0, targets={"2026": 50}), "dc.1.1: targets.2026: "),
        (CITIZENS, change(0, targets={"2025": 170}), "dc.1.1: targets.2025: "),
        (CITIZENS, lambda parsed: parsed.pop("set"), "digital-citizen.yaml must hold the key set"),
        (
            CITIZENS,
            lambda parsed: parsed.update(indicator=parsed.pop("indicators")),
            "digital-citizen.yaml must hold the key set, and indicators",
        ),
        (CITIZENS, rules("indicators", 0, to="dc.1.1"), "indicator number 1 must be a mapping"),
        (RULES, rules("version", to=0), "rules.yaml: version: "),
        (RULES, rules("conditons", to={}), "rules.yaml: conditons: there is no such key"),
        (RULES, rules("documents", to=[]), "rules.yaml: documents must map"),
        (
            RULES,
            rules("conditions", "smartphone", "fact", to="phone"),
            "condition smartphone: a citizen has no fact phone",
        ),
        (
            RULES,
            rules("conditions", "smartphone", "is", to={"smart": True}),
            "condition smartphone: subscription keeps no field 'smart'",
        ),
        (
            RULES,
            rules("conditions", "smartphone", "is", to={"smartphone": "true"}),
            "condition smartphone: smartphone is never 'true'",
        ),
        (
            RULES,
            rules("conditions", "sme", "is", to={"size": ["micro", "smal"]}),
            "condition sme: size is never 'smal'",
        ),
        (
            RULES,
            rules("conditions", "eid-level-2", "is", to={"level": 3}),
            "condition eid-level-2: level is never 3",
        ),
        (
            RULES,
            rules("conditions", "payment-in-90-days", "is", to={"method": "card"}),
            "condition payment-in-90-days: give either is or within_days",
        ),
        (
            RULES,
            rules(
                "conditions", "payment-in-90-days", to={"fact": "payment", "is": {"method": "card"}}
            ),
            "condition payment-in-90-days: payment keeps no field 'method'",
        ),
        (
            RULES,
            rules("conditions", "party-member", "latest", to=["registration", "eid.level"]),
            "condition party-member: registration keeps no field ''",
        ),
        (RULES, rules("conditions", "aged-15", "age", "to", to=14), "nobody is from 15 to 14"),
        (RULES, rules("populations", 1, "where", to="aged-16"), "citizens-15: there is no cond"),
        (RULES, rules("populations", 1, "name", to="citizens"), "population citizens stands 2"),
        (RULES, rules("subjects", 0, "area", to=["home"]), "citizen: there is no fact home"),
        (RULES, rules("subjects", 0, "area", to=["eid"]), "subject citizen: eid keeps no field"),
        (RULES, rules("subjects", 0, "facts", 1, "slot", to=0), "citizen: two facts share a slot"),
        (
            RULES,
            rules("subjects", 0, "facts", 1, "event", to="identity.moved.v1"),
            "fact residence: the contract has no event type identity.moved.v1",
        ),
        (
            RULES,
            rules("subjects", 0, "facts", 21, "event", to="telecom.fibre-changed.v1"),
            "fact handbook: telecom.fibre-changed.v1 is not about a citizen",
        ),
        (
            RULES,
            rules("subjects", 0, "facts", 6, "where", to={"port": "national"}),
            "fact account-national: public-service.account-changed.v1 has no field 'port'",
        ),
        (
            RULES,
            rules("subjects", 0, "facts", 6, "where", to={"portal": "nationl"}),
            "fact account-national: portal is never 'nationl'",
        ),
        (RULES, rules("subjects", 1, "kind", to="citizen"), "the kind of subject citizen stands 2"),
    ],
)
def test_a_broken_catalogue_is_refused_with_the_place(
    broken: Callable[[str, Edit], Catalogue], file: str, edit: Edit, message: str
) -> None:
    with pytest.raises(CatalogueError) as refusal:
        broken(file, edit)
    assert message in str(refusal.value)


def test_an_untouched_copy_reads_the_same(broken: Callable[[str, Edit], Catalogue]) -> None:
    assert broken(RULES, lambda _: None) == CATALOGUE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "x.yaml cannot be read"),
        ("- a", "x.yaml must hold a mapping"),
        ("set: x\nset: y\nindicators: []", "the key 'set' stands twice"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    shutil.copy(SHIPPED / RULES, tmp_path)
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as refusal:
        read(tmp_path)
    assert message in str(refusal.value)


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"rules\.yaml cannot be read"):
        read(tmp_path)
