"""Pages, passes, watermarks and overlaps, over real HTTP."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.times import format_rfc3339
from services.chassis.clock import FixedClock
from services.ingest.connectors.connector import SourceError, UnmappableError
from tests.integration.ingest.connectors.conformance import citizen
from tests.integration.ingest.connectors.rest.api import (
    STYLES,
    JsonApi,
    answering,
    config_of,
    reading,
    record,
    serving,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> str:
    return format_rfc3339(NOON + timedelta(minutes=minutes))


def ids(*numbers: int) -> list[str]:
    return [f"r{number}-1" for number in numbers]


@pytest.fixture
async def api() -> AsyncIterator[JsonApi]:
    async with serving(JsonApi()) as api:
        yield api


@pytest.mark.parametrize("style", STYLES)
async def test_every_style_reads_all_pages_and_then_what_is_new(api: JsonApi, style: str) -> None:
    api.records = [record(number, at(number)) for number in range(35)]
    async with reading(config_of(api, style)) as one:
        assert await one.ids() == ids(*range(35))
        assert await one.ids() == []
        api.records.append(record(35, at(35)))
        assert await one.ids() == ids(35)
        assert len(api.asked[-1].query["since"]) == len("2026-03-01T12:30:00Z")


async def test_what_appears_late_within_the_overlap_is_found(api: JsonApi) -> None:
    api.records = [record(1, at(10))]
    async with reading(config_of(api)) as one:
        assert await one.ids() == ids(1)
        api.records += [record(2, at(6)), record(3, at(4))]
        assert await one.ids() == ids(2)  # five minutes of overlap, and no more


async def test_a_record_that_changed_is_read_again_within_the_same_second(api: JsonApi) -> None:
    api.records = [record(1, at(1))]
    async with reading(config_of(api)) as one:
        await one.ids()
        api.records[0]["version"] = 2
        assert await one.ids() == ["r1-2"]


async def test_another_process_goes_on_where_the_first_stood(api: JsonApi) -> None:
    api.records = [record(number, at(number)) for number in range(35)]
    async with reading(config_of(api)) as one:
        await one.page()
        await one.page()
    async with reading(config_of(api)) as other:
        other.cursor = one.cursor
        assert await other.ids() == ids(*range(20, 35))
        assert await other.ids() == []


async def test_the_same_cursor_brings_the_same_records(api: JsonApi) -> None:
    api.records = [record(number, at(number)) for number in range(35)]
    async with reading(config_of(api)) as one:
        first = await one.page()
        second, again = [await one.connector.read(first.cursor) for _ in range(2)]
        assert [r.original for r in second.records] == [r.original for r in again.records]


async def test_a_long_answer_is_taken_in_parts(api: JsonApi) -> None:
    api.records = [record(number, at(0)) for number in range(2_300)]
    async with reading(config_of(api, "none")) as one:
        sizes = [len((await one.page()).records) for _ in range(3)]
        assert sizes == [1_000, 1_000, 300]
        assert len(api.asked) == 1
    async with reading(config_of(api, "none")) as one:
        await one.page()
        async with reading(config_of(api, "none")) as other:
            other.cursor = one.cursor
            # Asked for anew it is taken from its beginning: repeats, no loss.
            assert set(await other.ids()) >= set(ids(*range(1_000, 2_300)))


async def test_a_pass_begins_where_it_is_told_to(api: JsonApi) -> None:
    api.records = [record(number, at(number)) for number in range(5)]
    watermark = config_of(api).watermark.model_copy(update={"start": NOON + timedelta(minutes=3)})
    async with reading(config_of(api).model_copy(update={"watermark": watermark})) as one:
        assert await one.ids() == ids(3, 4)


async def test_a_time_ahead_does_not_hide_what_comes_later(api: JsonApi) -> None:
    clock = FixedClock(NOON)
    api.records = [record(1, at(60 * 24 * 365))]
    async with reading(config_of(api), clock) as one:
        assert await one.ids() == ids(1)
        api.records.append(record(2, at(1)))
        assert await one.ids() == ids(2)


@pytest.mark.parametrize(
    ("form", "zone", "written"),
    [
        ("epoch-s", None, "1772366400"),
        ("epoch-ms", None, "1772366400000"),
        ("local", "Asia/Ho_Chi_Minh", "2026-03-01T19:00:00"),
        ("date", "Asia/Ho_Chi_Minh", "2026-03-01"),
        ("epoch-s", "Asia/Ho_Chi_Minh", "1772391600"),
    ],
)
async def test_the_watermark_is_sent_as_the_api_writes_it(
    api: JsonApi, form: str, zone: str | None, written: str
) -> None:
    start = {"parameter": "seen", "field": "changed", "form": form, "start": NOON}
    watermark = {**start, **({"zone": zone} if zone else {})}
    async with reading(config_of(api, watermark=watermark)) as one:
        assert await one.ids() == []
    assert api.asked[0].query["seen"] == written


async def test_the_cursor_and_the_place_name_nobody(api: JsonApi) -> None:
    api.records = [record(number, at(number)) for number in range(35)]
    async with reading(config_of(api)) as one:
        page = await one.page()
        shown = json.dumps([one.cursor, [r.place for r in page.records]])
        token = str(json.loads(api.page(api.asked[0]).body or b"")["next"])  # type: ignore[arg-type]
        assert token not in shown
        assert page.records[3].place == "page 1, record 4"
        assert not any(citizen(number) in shown for number in range(35))
        # Only what the mapping looks at is kept of a record.
        assert all(b"diagnosis" not in r.original for r in page.records)


async def test_records_without_a_time_are_told_of_and_not_repeated(api: JsonApi) -> None:
    api.records = [record(1, at(1))]
    watermark: dict[str, Any] = {"parameter": "since", "field": "seen", "form": "rfc3339"}
    async with reading(config_of(api, watermark=watermark)) as one:
        assert await one.ids() == ids(1)
        assert await one.ids() == []


async def test_a_page_that_is_forgotten_begins_the_pass_again(api: JsonApi) -> None:
    api.records = [record(number, at(number)) for number in range(25)]
    async with reading(config_of(api)) as one:
        await one.page()
        api.faults = [answering(410)]
        assert (await one.page()).is_last is False
        assert await one.ids() == ids(*range(10, 25))  # what was taken is known
        api.records.append(record(99, at(99)))
        api.records += [record(number, at(number)) for number in range(100, 115)]
        await one.page()
        api.faults = [answering(400)]
        await one.page()
        await one.page()
        api.faults = [answering(400)]
        with pytest.raises(SourceError, match="does not know page 2"):
            await one.page()


@pytest.mark.parametrize("style", ["page", "offset"])
async def test_a_page_that_repeats_for_ever_is_told_of(api: JsonApi, style: str) -> None:
    api.records = [record(number, at(0)) for number in range(10)]
    paging = {**STYLES[style], "parameter": "unknown"}
    async with reading(config_of(api, style, paging=paging)) as one:
        await one.page()
        with pytest.raises(SourceError, match="the same page again and again"):
            await one.page()


async def test_a_circle_of_pages_ends(api: JsonApi) -> None:
    api.records = [record(number, at(number)) for number in range(20)]
    following = {"style": "cursor", "parameter": "ignored", "pointer": "/next"}
    async with reading(config_of(api, paging=following)) as one:
        await one.page()
        with pytest.raises(SourceError, match="the same page again and again"):
            await one.page()
    async with reading(config_of(api, most_pages=1)) as one:
        await one.page()
        with pytest.raises(SourceError, match="1 pages and no end"):
            await one.page()


async def test_what_is_no_record_is_refused(api: JsonApi) -> None:
    async with reading(config_of(api)) as one:
        with pytest.raises(UnmappableError, match="no JSON object"):
            one.connector.map(b'["a"]')


async def test_a_cursor_of_another_kind_is_refused(api: JsonApi) -> None:
    async with reading(config_of(api)) as one:
        one.cursor = {"partitions": [1]}
        with pytest.raises(SourceError, match="not one of a rest connector"):
            await one.page()
