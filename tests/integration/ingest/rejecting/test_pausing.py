"""A source of which more than half is refused is paused everywhere, until an operator ends it."""

import json
import secrets
from typing import Any

from structlog.testing import capture_logs

from services.ingest.settings import IngestSettings
from tests.contract.ingest.service import Keys, running
from tests.integration.ingest.rejecting.desk import Desk, new_source, soon


async def _spoil(desk: Desk) -> None:
    """Send so many bad events that the source is paused."""
    for _ in range(2):
        await desk.refused(*(desk.bad() for _ in range(500)))


async def test_all_processes_know_within_seconds_and_a_restart_remembers(
    settings: IngestSettings, keys: Keys
) -> None:
    source = new_source()
    with capture_logs() as logs:
        async with running(settings, keys) as one, running(settings, keys) as two:
            here, there = Desk(one, source), Desk(two, source)
            await _spoil(here)
            status, problem, headers = await here.send(here.event())
            assert (status, headers["Retry-After"]) == (429, "300")
            assert source in problem["detail"]
            assert "1,000" in problem["detail"]
            assert "resume" in problem["detail"]

            async def paused_there() -> bool:
                return (await there.send(there.event()))[0] == 429

            await soon(paused_there)
            _, answer = await there.get("/v1/pauses")
            [pause] = answer["pauses"]
            assert (pause["source"], pause["counted"], pause["refused"]) == (source, 1_000, 1_000)
            assert pause["ended_at"] is None
            metric = f'ingest_source_paused{{source="{source}"}}'

            async def told() -> bool:
                _, metrics = await there.ingest.get("/metrics")
                return f"{metric} 1.0" in metrics

            await soon(told)
    told_of = [log for log in logs if log["log_level"] == "error" and log.get("source") == source]
    assert len(told_of) == 1
    async with running(settings, keys) as three, running(settings, keys) as four:
        desk, other = Desk(three, source), Desk(four, source)
        assert (await desk.send(desk.event()))[0] == 429
        assert (await desk.do(f"/v1/pauses/{source}/end", token=desk.sender()))[0] == 403
        status, answer = await desk.do(f"/v1/pauses/{source}/end")
        assert (status, answer["ended_by"]) == (200, "an operator")
        assert (await desk.send(desk.event()))[0] == 202
        assert (await desk.do(f"/v1/pauses/{source}/end"))[0] == 404

        async def goes_on() -> bool:
            return (await other.send(other.event()))[0] == 202

        await soon(goes_on)
        # Counting starts anew, and can pause it anew.
        await desk.refused(*(desk.bad() for _ in range(500)))
        assert (await desk.send(desk.event()))[0] == 202
        await desk.refused(*(desk.bad() for _ in range(500)))
        assert (await desk.send(desk.event()))[0] == 429


async def test_one_bad_source_of_a_token_does_not_pause_the_others(desk: Desk) -> None:
    good = new_source()
    token = desk.sender(desk.source, good)
    for _ in range(2):
        await desk.refused(*(desk.bad() for _ in range(500)), token=token)
    assert (await desk.send(desk.event(), token=token))[0] == 429
    assert (await desk.send(desk.event(source=good), token=token))[0] == 202
    # A batch of both cannot be put off in part.
    assert (await desk.send(desk.event(source=good), desk.event(), token=token))[0] == 202
    assert (await desk.send(desk.event()))[0] == 429


async def test_nobody_is_paused_by_who_only_claims_to_be_it(desk: Desk) -> None:
    stranger = desk.sender(new_source())
    for _ in range(3):
        status, _, _ = await desk.send(*(desk.bad() for _ in range(500)), token=stranger)
        assert status == 422
    assert (await desk.send(desk.event()))[0] == 202
    _, answer = await desk.get("/v1/pauses")
    assert answer["pauses"] == []


async def test_retries_pause_nobody(desk: Desk) -> None:
    fit: list[Any] = [desk.event(id=secrets.token_hex(8)) for _ in range(600)]
    assert (await desk.send(*fit))[0] == 202
    await desk.refused(*(desk.bad() for _ in range(599)))
    await desk.listed(500, limit="500")
    for _ in range(3):
        _, answer = await desk.do(
            "/v1/rejections/retry", {"filter": {"source": desk.source}, "limit": 500}
        )
        assert answer["refused"] == 500
    assert (await desk.send(desk.event()))[0] == 202
    assert json.dumps((await desk.get("/v1/pauses"))[1]).count(desk.source) == 0
