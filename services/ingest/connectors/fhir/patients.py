"""Finds the patients that resources refer to, merged ones by who has replaced them."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from services.chassis.clock import Clock
from services.ingest.connectors.fhir.config import FhirConfig
from services.ingest.connectors.fhir.queries import ELEMENTS
from services.ingest.connectors.fhir.reduction import Resource, reduce_patient
from services.ingest.connectors.fhir.server import FhirServer

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_AT_ONCE: Final = 100
_MOST_REMEMBERED: Final = 10_000
#: So long a number that was corrected may still be used.
_REMEMBERED_SECONDS: Final = 300.0
#: A patient that was merged more often is taken for one that the server does not know.
_MOST_MERGES: Final = 4


class Patients:
    """Patients of one server, a bounded number of them remembered for a few minutes."""

    def __init__(self, server: FhirServer, config: FhirConfig, clock: Clock) -> None:
        self._server = server
        self._config = config
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()

    async def of(self, resources: Iterable[Resource]) -> list[dict[str, Any] | None]:
        """The patient of each resource, reduced; None for one that the server does not know.

        Raises:
            SourceError: the server does not answer.
        """
        ids = [patient_id(one.get("subject", {}), self._server.base) for one in resources]
        found = await self._find({one for one in ids if one is not None})
        wanted = set(found)
        for _ in range(_MOST_MERGES):
            successors = {
                successor
                for one in wanted
                if one in found and (successor := self._successor(found[one])) is not None
            }
            wanted = successors - set(found)
            if not wanted:
                break
            found |= await self._find(wanted)
        return [None if one is None else self._last(one, found) for one in ids]

    def _successor(self, patient: Resource) -> str | None:
        links: Sequence[Mapping[str, Any]] = patient.get("link", [])
        ids = (patient_id(link["other"], self._server.base) for link in links)
        return next((one for one in ids if one is not None), None)

    def _last(self, first: str, found: Mapping[str, dict[str, Any]]) -> dict[str, Any] | None:
        """The patient that others were merged into; the number of an earlier one if it has none."""
        patient = found.get(first)
        number = patient.get("identifier") if patient else None
        for _ in range(_MOST_MERGES):
            successor = self._successor(patient) if patient else None
            if successor is None:
                break
            patient = found.get(successor)
            number = (patient.get("identifier") if patient else None) or number
        if patient is None or "link" in patient:
            return None
        return patient | ({"identifier": number} if number else {})

    async def _find(self, ids: set[str]) -> dict[str, dict[str, Any]]:
        now = self._clock.now().timestamp()
        found: dict[str, dict[str, Any]] = {}
        for one in ids:
            seen, patient = self._known.get(one, (0.0, {}))
            if patient and now - seen < _REMEMBERED_SECONDS:
                found[one] = patient
        missing = sorted(ids - found.keys())
        for start in range(0, len(missing), _AT_ONCE):
            batch = missing[start : start + _AT_ONCE]
            for patient in await self._ask(batch):
                found[patient["id"]] = patient
                self._known[patient["id"]] = (now, patient)
                self._known.move_to_end(patient["id"])
            await asyncio.sleep(0)
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return found

    async def _ask(self, ids: list[str]) -> list[dict[str, Any]]:
        form = {
            "_id": ",".join(ids),
            "_elements": ELEMENTS["Patient"],
            "_count": str(len(ids)),
        }
        bundle = await self._server.search_by_form("Patient", form)
        found = []
        while True:
            for entry in bundle.get("entry", []):
                resource = entry.get("resource", {})
                if resource.get("resourceType") == "Patient" and resource.get("id") in ids:
                    found.append(reduce_patient(resource, self._config))
            following = next_link(bundle)
            if following is None:
                return found
            bundle = await self._server.search(following)


def patient_id(reference: Mapping[str, Any], base: str) -> str | None:
    """The id of a patient of this server that a reference names; None for anything else."""
    text = reference.get("reference")
    if not isinstance(text, str):
        return None
    if text.startswith(f"{base}/"):
        text = text[len(base) + 1 :]
    elif urlsplit(text).scheme:
        return None
    parts = text.split("/")
    if parts[0] == "Patient" and len(parts) >= 2 and _ID.fullmatch(parts[1]):
        return parts[1]
    return None


def next_link(bundle: Mapping[str, Any]) -> str | None:
    """Where the next page of a bundle is."""
    for link in bundle.get("link", []):
        if link.get("relation") == "next":
            url: str | None = link.get("url")
            return url
    return None
