"""A catalogue's fingerprint follows what decides who counts; slots and bits are never given again."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts import catalogue as room
from contracts.catalogue import Catalogue, CatalogueError, dumped, load, refuse_new_meanings

SHIPPED = load()
Form = dict[str, Any]


def changed(edit: Callable[[Form], object]) -> Catalogue:
    """The shipped catalogue with an edit."""
    form = json.loads(json.dumps(dumped(SHIPPED)))
    edit(form)
    return Catalogue.model_validate(form)


def indicator(form: Form, name: str) -> Form:
    found: Form = next(one for one in form["indicators"] if one["id"] == name)
    return found


def fact(form: Form, name: str) -> Form:
    found: Form = next(one for one in form["subjects"][0]["facts"] if one["name"] == name)
    return found


@pytest.mark.parametrize(
    "edit",
    [
        lambda form: form.update(version=9),
        lambda form: indicator(form, "ds.smartphone").update(name={"vi": "Máy", "en": "Phones"}),
        lambda form: indicator(form, "ds.smartphone").update(targets={"2030": 95}),
        lambda form: indicator(form, "ds.smartphone").update(note="seen"),
        lambda form: form["indicators"].reverse(),
        lambda form: form["subjects"].reverse(),
        lambda form: form["subjects"][0]["facts"].reverse(),
        lambda form: form["populations"][0].update(text={"vi": "Dân", "en": "People"}),
    ],
)
def test_what_counts_nobody_elsewhere_keeps_the_fingerprint(edit: Callable[[Form], object]) -> None:
    assert changed(edit).fingerprint == SHIPPED.fingerprint


@pytest.mark.parametrize(
    "edit",
    [
        lambda form: form["conditions"]["payment-in-90-days"].update(within_days=60),
        lambda form: form["conditions"]["aged-15"].update(age={"from": 16}),
        lambda form: indicator(form, "ds.smartphone").update(numerator="smartphone-internet"),
        lambda form: indicator(form, "ds.smartphone").update(population="citizens-15"),
        lambda form: indicator(form, "ds.smartphone").update(bit=62),
        lambda form: form["indicators"].remove(indicator(form, "ds.smartphone")),
        lambda form: fact(form, "payment").update(where={"method": "card"}),
        lambda form: form["subjects"][0].update(area=["registration"]),
    ],
)
def test_what_counts_somebody_elsewhere_gives_another(edit: Callable[[Form], object]) -> None:
    assert changed(edit).fingerprint != SHIPPED.fingerprint


def test_a_fingerprint_is_the_same_on_every_machine() -> None:
    assert len(SHIPPED.fingerprint) == 32
    again = Catalogue.model_validate_json(SHIPPED.model_dump_json(by_alias=True))
    assert again.fingerprint == SHIPPED.fingerprint
    int(SHIPPED.fingerprint, 16)


@pytest.mark.parametrize(
    "edit",
    [
        lambda form: form["conditions"]["payment-in-90-days"].update(within_days=60),
        lambda form: form["indicators"].remove(indicator(form, "ds.fibre")),
        lambda form: fact(form, "handbook").update(slot=30),
        lambda form: form["indicators"].append(
            indicator(form, "dc.1.1") | {"id": "dc.9", "bit": 62}
        ),
        lambda form: form["subjects"][0]["facts"].append(
            fact(form, "payment") | {"name": "card", "slot": 40, "where": {"method": "card"}}
        ),
    ],
)
def test_rules_may_change_and_things_may_come_and_go(edit: Callable[[Form], object]) -> None:
    refuse_new_meanings(dumped(SHIPPED), changed(edit))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda form: indicator(form, "dc.1.1").update(id="dc.9"),
            "bit 0 is dc.9, and was dc.1.1",
        ),
        (
            lambda form: indicator(form, "dc.1.1").update(bit=62),
            "the bit of dc.1.1 is 62, and was 0",
        ),
        (
            lambda form: fact(form, "payment").update(where={"method": "card"}),
            "payment.transaction-completed.v1 where method: card, and was the time of the latest",
        ),
        (
            lambda form: fact(form, "payment").update(keeps="latest"),
            "slot 14 of a citizen is the latest payment.transaction-completed.v1, and was the time",
        ),
    ],
)
def test_a_slot_or_bit_with_a_new_meaning_is_refused(
    edit: Callable[[Form], object], message: str
) -> None:
    with pytest.raises(CatalogueError) as refusal:
        refuse_new_meanings(dumped(SHIPPED), changed(edit))
    assert message in str(refusal.value)


def test_a_former_catalogue_need_not_be_valid_any_more() -> None:
    former = json.loads(json.dumps(dumped(SHIPPED)))
    former["subjects"][0]["facts"].append(
        {"name": "pigeon", "slot": 99, "event": "post.pigeon.v1", "keeps": "latest", "where": {}}
    )
    refuse_new_meanings(former, SHIPPED)


def test_a_province_may_use_a_folder_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(Path(room.__file__).parent, folder)
    assert load(folder) == SHIPPED
    with pytest.raises(CatalogueError, match="nowhere is no folder"):
        load(tmp_path / "nowhere")
