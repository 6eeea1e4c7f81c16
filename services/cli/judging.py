"""The verdict of ingest, offline: its own core, with a key of the moment for pseudonyms."""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from contracts.areas import Areas
from contracts.reasons import Reason
from contracts.sources import SOURCE_PREFIX
from contracts.tokens import Principal, Role
from services.ingest.core.check import Knowledge, check, refuse
from services.ingest.core.pseudonyms import SHORTEST_KEY_BYTES, Pseudonymiser
from services.ingest.core.verdicts import Verdict
from services.ingest.wire import Received

#: Largest event that an ingest takes which is not told otherwise.
_MOST_BYTES: Final = 256 * 1024
#: Stands for the source of rows that name none, when nobody has said which one it will be.
_SOME_SOURCE: Final = SOURCE_PREFIX + "yours"


class Judge:
    """Decides about events as ingest would.

    Args:
        areas: the units that there are.
        indicators: the ids of the catalogue's indicators.
        sources: as which they will be sent; any, when none is named.
        domains: which domains the sender may send.
    """

    def __init__(
        self,
        areas: Areas,
        indicators: frozenset[str],
        sources: Collection[str],
        domains: frozenset[str],
    ) -> None:
        pseudonymiser = Pseudonymiser(secrets.token_bytes(SHORTEST_KEY_BYTES))
        self._knowledge = Knowledge(areas, indicators, pseudonymiser)
        self._sources = frozenset(sources)
        self._domains = domains
        self._now = datetime.now(UTC)
        self.event_id = pseudonymiser.event_id

    @property
    def row_sources(self) -> Collection[str]:
        """As which rows are sent that name no source."""
        return self._sources or {_SOME_SOURCE}

    def verdict(self, event: Received) -> Verdict:
        """What ingest would say."""
        if len(event.original) > _MOST_BYTES:
            detail = f"an event may have {_MOST_BYTES} bytes; this one is larger"
            return refuse(event.decoded, Reason.TOO_LARGE, detail, self._sources)
        if event.objection is not None:
            objection = event.objection
            return refuse(event.decoded, objection.reason, objection.detail, self._sources)
        if not isinstance(event.decoded, dict):
            detail = "an event must be a JSON object"
            return refuse(event.decoded, Reason.BAD_ENVELOPE, detail, self._sources)
        sources = self._sources or {str(event.decoded.get("source"))}
        caller = Principal(
            sub="validate", role=Role.SOURCE, sources=frozenset(sources), domains=self._domains
        )
        return check(event.decoded, caller, self._now, self._knowledge)
