"""What docker-compose.yml sets is what the services read, and all that they want."""

import importlib
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from services.chassis.settings import NESTING, PREFIX, ServiceSettings
from tests.contract.compose import reading

OURS = reading.ours(reading.resolved(reading.env_file(commented=True)))


def settings_of(service: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"services.{service}.settings")
    (found,) = (
        item
        for item in vars(module).values()
        if isinstance(item, type)
        and issubclass(item, ServiceSettings)
        and item.__module__ == module.__name__
    )
    return found


def group_of(annotation: Any) -> type[BaseModel] | None:
    """Return the group of settings that an annotation names, also as `Group | None`."""
    candidates = (annotation, *get_args(annotation))
    groups = [item for item in candidates if isinstance(item, type) and issubclass(item, BaseModel)]
    return groups[0] if groups else None


def names(model: type[BaseModel], prefix: str = PREFIX) -> Iterator[str]:
    """Yield the variable of each plain setting, groups taken apart."""
    for name, field in model.model_fields.items():
        variable = prefix + name.upper()
        group = group_of(field.annotation)
        if group is None:
            yield variable
        else:
            yield from names(group, variable + NESTING)


def given(service: str) -> dict[str, str]:
    everything = {**reading.image_environment(), **OURS[service]["environment"]}
    return {name: value for name, value in everything.items() if name.startswith(PREFIX)}


@pytest.mark.parametrize("service", sorted(OURS))
def test_every_variable_is_one_that_the_service_reads(service: str) -> None:
    assert set(given(service)) <= set(names(settings_of(service)))


@pytest.mark.parametrize("service", sorted(OURS))
def test_the_service_gets_all_that_it_wants(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in given(service).items():
        monkeypatch.setenv(variable, value)
    # The password's file is named, so the rest of the mail settings must allow for one.
    settings = settings_of(service)()
    assert settings.http.port == int(reading.image_environment()["NHIPSO_HTTP__PORT"])
