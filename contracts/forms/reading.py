"""Read the wording of forms from its YAML file."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from contracts import yaml_file
from contracts.catalogue import Catalogue, Indicator
from contracts.forms.model import Forms, Measure

FORMS_FILE: Final = "forms.yaml"


class FormsError(ValueError):
    """Wording that cannot be used; the message says where and why."""


def load(folder: Path | None, catalogue: Catalogue) -> Forms:
    """The wording of a folder; where it has none, the wording that ships with the contract.

    An indicator of which it says nothing is worded from the catalogue, so that a new indicator
    can be reported before somebody has found better words.

    Args:
        folder: may hold ``forms.yaml``, beside ``calendar.yaml``.
        catalogue: the indicators that there are.

    Raises:
        FormsError: the file cannot be read or used, or names an indicator that there is not.
    """
    is_own = folder is not None and (folder / FORMS_FILE).exists()
    forms = read(folder / FORMS_FILE) if folder is not None and is_own else _shipped()
    unknown = {*forms.indicators, *forms.agencies.indicators} - catalogue.by_id.keys()
    if unknown and is_own:
        raise FormsError(
            f"{FORMS_FILE} names {', '.join(sorted(unknown))}, which the catalogue does not know"
        )
    worded = {one.id: forms.indicators.get(one.id) or _plain(one, catalogue) for one in catalogue}
    return forms.model_copy(update={"indicators": worded})


def _plain(indicator: Indicator, catalogue: Catalogue) -> Measure:
    """How an indicator is reported, in the words of the catalogue alone."""
    if indicator.unit == "quantity":
        return Measure(title=indicator.name.vi, value=indicator.name.vi, unit="–")
    whole = "Tổng số"
    if not indicator.is_reported_only:
        whole = f"{whole}: {catalogue.population_of(indicator).text.vi}"
    return Measure(title=indicator.name.vi, numerator="Số đạt chỉ tiêu", denominator=whole)


def read(path: Path) -> Forms:
    """Read a file and check its form.

    Raises:
        FormsError: the file cannot be read, or an entry is wrong; with its place.
    """
    return yaml_file.read(path, Forms, FormsError)


@cache
def _shipped() -> Forms:
    with resources.as_file(resources.files("contracts") / "forms") as folder:
        return read(folder / FORMS_FILE)
