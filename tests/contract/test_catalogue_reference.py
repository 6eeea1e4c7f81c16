"""The catalogue against the reference list of indicators that was read out of the documents."""

import csv
from pathlib import Path

import pytest

from contracts.catalogue import load

CATALOGUE = load()
REFERENCE = Path(__file__).parent / "data" / "indicators.csv"
with REFERENCE.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))

#: How the reference names a population → the catalogue's.
POPULATIONS = {
    "all citizens": "citizens",
    "citizens aged 15 and over": "citizens-15",
    "citizens aged 18 and over": "citizens-18",
    "citizens aged 15 to 59": "citizens-15-to-59",
    "party members aged 15 and over": "party-members-15",
    "citizens whose latest telecom.subscription-changed has smartphone true": "smartphone-users",
    "all households": "households",
    "all dossiers": "dossiers",
    "dossiers with an answer on satisfaction": "dossiers-answered",
    "all organisations": "organisations",
    "enterprises": "enterprises",
    "organisations of size sme": "smes",
    "institutions of kind college or vocational": "colleges",
    "institutions of kind primary, secondary or high": "schools",
    "urban education institutions": "education-urban",
    "non-urban education institutions": "education-non-urban",
    "urban institutions of kind health-facility": "health-facilities-urban",
    "non-urban institutions of kind health-facility": "health-facilities-non-urban",
    "": None,
}


def test_the_indicators_are_those_of_the_reference() -> None:
    assert sorted(CATALOGUE.by_id) == sorted(row["id"] for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_an_indicator_is_as_in_the_reference(row: dict[str, str]) -> None:
    indicator = CATALOGUE.by_id[row["id"]]
    assert (indicator.name.vi, indicator.name.en) == (row["name_vi"], row["name_en"])
    assert (indicator.set, indicator.feed) == (row["set"], row["feed"])
    targets = indicator.targets
    for found, wanted in (
        (targets.by_2025, row["target_2025"]),
        (targets.by_2030, row["target_2030"]),
    ):
        assert ("" if found is None else str(found)) == wanted
    assert indicator.population == POPULATIONS[row["population"]]
    if indicator.population is not None:
        assert CATALOGUE.population_of(indicator).subject == row["subject"]
    if "assumption" in row["note"]:
        assert "assumption" in (indicator.note or "")
