"""The connector `fhir` keeps what every connector keeps, over a real HAPI FHIR server."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.ingest.connectors.conformance import Conformance, citizen, new_source
from tests.integration.ingest.connectors.fhir.hapi import Hapi
from tests.integration.ingest.connectors.fhir.invented import config, encounter, patient


@dataclass
class Encounters:
    """Virtual encounters, each of another patient."""

    server: Hapi
    kind: str = "fhir"
    domains: Sequence[str] = ("health",)
    source: str = field(default_factory=new_source)
    _bad: int = 0

    @property
    def config(self) -> Mapping[str, Any]:
        return config(self.server.base)

    async def add(self, numbers: Iterable[int]) -> None:
        wanted = list(numbers)
        await self.server.put(patient(f"p{number}", citizen(number)) for number in wanted)
        await self.server.put(encounter(f"e{number}", f"p{number}") for number in wanted)

    async def add_bad(self, count: int) -> None:
        wanted = range(self._bad, self._bad + count)
        self._bad += count
        await self.server.put(patient(f"b{number}", "123") for number in wanted)
        await self.server.put(encounter(f"b{number}", f"b{number}") for number in wanted)


@pytest.fixture
def ground(hapi: Hapi) -> Encounters:
    return Encounters(hapi)


class TestFhir(Conformance):
    pass
