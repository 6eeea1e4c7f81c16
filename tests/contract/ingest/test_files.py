"""``POST /v1/files``: rows of a file are taken like events, and refused with their line."""

import asyncio
import gzip
import io
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import pytest

from contracts.rejected import RejectedEvent, unseal
from services.ingest.core.rows import row_of
from services.ingest.files.reading import FileSettings
from services.ingest.pipeline import Pipeline
from services.ingest.publisher import BrokerAwayError
from tests.contract.ingest.service import Ingest, Keys, Topic, running, settings_for
from tests.databases import new_database
from tests.fakes.workbook import Value, of_rows, sheet_xml, workbook

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADING = ("type", "subject", "time", "id", "level", "activated")
CITIZEN = "citizen:000123456789"


def line(number: int | str, **changes: str) -> list[str]:
    cells = {
        "type": "identity.eid-changed.v1",
        "subject": CITIZEN,
        "time": "2026-03-01 08:30",
        "id": f"{secrets.token_hex(4)}-{number}",
        "level": "2",
        "activated": "có",
    } | changes
    return [cells[name] for name in HEADING]


def csv(rows: Sequence[Sequence[str]], separator: str = ",") -> bytes:
    return "\n".join(separator.join(row) for row in (HEADING, *rows)).encode()


async def send(
    ingest: Ingest,
    body: Any,
    content_type: str | None = CSV,
    query: str = "",
    token: str | None = None,
    **headers: str,
) -> tuple[int, Any, dict[str, str]]:
    sent = {"Authorization": f"Bearer {token or ingest.keys.token()}", **headers}
    if content_type is not None:
        sent["Content-Type"] = content_type
    async with ingest.http.post(f"{ingest.url}/v1/files{query}", data=body, headers=sent) as answer:
        return answer.status, await answer.json(content_type=None), dict(answer.headers)


async def test_rows_of_csv_become_events(ingest: Ingest, subject_events: Topic) -> None:
    status, answer, _ = await send(ingest, csv([line(1), line(2)], ";"))
    assert (status, answer) == (202, {"accepted": 2, "refused": 0, "rejected": []})
    records = await subject_events.take(2)
    event = json.loads(records[0].value or b"")
    assert event["time"] == "2026-03-01T01:30:00Z"
    assert event["data"] == {"level": 2, "activated": True}
    assert event["source"] == "urn:nhipso:source:vneid"
    assert "000123456789" not in json.dumps(event)


@pytest.mark.parametrize("query", ["", "?sheet=Hai", "?format=xlsx"])
async def test_rows_of_a_workbook_become_events(
    ingest: Ingest, subject_events: Topic, query: str
) -> None:
    rows: list[Sequence[Value]] = [HEADING, line(1)]
    body = workbook({"Hai": sheet_xml(rows)})
    status, answer, _ = await send(ingest, body, XLSX, query)
    assert (status, answer["accepted"]) == (202, 1)
    await subject_events.take(1)


async def test_a_form_brings_a_file(ingest: Ingest, rejected_events: Topic) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("note", "x")
    rows = [line(1), line(2, level="two")]
    form.add_field("file", csv(rows), filename="tháng 3.csv", content_type="text/csv")
    status, answer, _ = await send(ingest, form, None)
    assert (status, answer["accepted"]) == (207, 1)
    (record,) = await rejected_events.take(1)
    kept = RejectedEvent.model_validate_json(record.value or b"")
    assert kept.origin.model_dump() == {"via": "file", "file": "tháng 3.csv", "line": 3}


async def test_a_refused_row_is_told_with_its_line_and_column(
    ingest: Ingest, rejected_events: Topic
) -> None:
    bad = line("x", level="two")
    body = csv([line(1), bad, line(2), line(3, subject="citizen:12")])
    status, answer, _ = await send(ingest, body, query="?name=/tmp/000123456789.csv")
    assert (status, answer["accepted"], answer["refused"]) == (207, 2, 2)
    first, second = answer["rejected"]
    assert first == {
        "index": 1,
        "id": bad[3],
        "reason": "bad-data",
        "detail": "column level: must be a whole number; write it without separators, such as 1200",
        "line": 3,
        "column": "level",
    }
    assert (second["line"], second["column"], second["reason"]) == (5, "subject", "bad-subject")
    record, _ = await rejected_events.take(2)
    kept = RejectedEvent.model_validate_json(record.value or b"")
    assert kept.origin.model_dump() == {"via": "file", "file": "***.csv", "line": 3}
    assert row_of(unseal(ingest.keys.rejections, kept.sealed)).cells["data.level"] == "two"


async def test_a_file_of_which_nothing_is_accepted(ingest: Ingest) -> None:
    status, answer, _ = await send(ingest, csv([line(1, time="?"), line(2, type="x")]))
    assert (status, answer["accepted"], answer["refused"]) == (422, 0, 2)


async def test_the_same_file_again_brings_the_same_events(
    ingest: Ingest, subject_events: Topic
) -> None:
    body = csv([line(1, id="")])
    ids = set()
    for _ in range(2):
        assert (await send(ingest, body))[0] == 202
        (record,) = await subject_events.take(1)
        ids.add(json.loads(record.value or b"")["id"])
    assert len(ids) == 1


async def test_a_source_may_send_its_own_domains_alone(ingest: Ingest) -> None:
    token = ingest.keys.token(domains=["health"])
    status, answer, _ = await send(ingest, csv([line(1)]), token=token)
    assert (status, answer["rejected"][0]["reason"]) == (422, "source-not-allowed")
    assert answer["rejected"][0]["column"] == "type"


async def test_a_gzipped_file_is_read(ingest: Ingest) -> None:
    body = gzip.compress(csv([line(1)]))
    status, *_ = await send(ingest, body, **{"Content-Encoding": "gzip"})
    assert status == 202


@pytest.mark.parametrize(
    ("body", "content_type", "query", "status", "told"),
    [
        (b"a,b\n", CSV, "", 400, "is neither an attribute"),
        (csv([]), CSV, "", 400, "no row below its heading"),
        (b"", CSV, "", 400, "The file is empty"),
        ("ô,b\n".encode("utf-16"), CSV, "", 400, "UTF-16"),
        (csv([]), "text/csv; charset=windows-1258", "", 415, "UTF-8"),
        (csv([]), "application/json", "", 415, "text/csv"),
        (b"PK\x03\x04", XLSX, "", 400, "no .xlsx workbook"),
        (of_rows([HEADING]), XLSX, "?sheet=Ba", 400, "has no sheet Ba"),
        (b"x", "multipart/form-data", "", 400, "form cannot be read"),
        (b"--x--", "multipart/form-data; boundary=x", "", 400, "holds no file"),
    ],
)
async def test_what_cannot_be_read_is_a_problem(
    ingest: Ingest,
    body: bytes,
    content_type: str,
    query: str,
    *,
    status: int,
    told: str,
) -> None:
    answered, problem, headers = await send(ingest, body, content_type, query)
    assert answered == status
    assert told in problem["detail"]
    assert headers["Content-Type"] == "application/problem+json"


async def test_a_fault_below_says_how_far_the_file_was_taken(ingest: Ingest) -> None:
    body = csv([line(number) for number in range(1_200)]) + b"\n\xff"
    status, problem, _ = await send(ingest, body)
    assert status == 400
    assert problem["detail"].startswith("Line 1202: is not UTF-8")
    # Whole pieces were taken before.
    assert (problem["accepted"], problem["lines_done"]) == (1_000, 1_001)


async def test_who_may_not_send_events_may_not_send_files(ingest: Ingest) -> None:
    assert (await send(ingest, csv([line(1)]), token=ingest.keys.token(role="operator")))[0] == 403
    assert (await send(ingest, csv([line(1)]), token="no"))[0] == 401


@pytest.fixture(scope="module")
async def narrow(kafka: str, postgres: str, keys: Keys) -> AsyncIterator[Ingest]:
    """An ingest that takes small files alone."""
    async with new_database(postgres) as database:
        settings = settings_for(keys, kafka, database).model_copy(
            update={"files": FileSettings(max_bytes=1_500_000, max_rows=1_000, at_once=1)}
        )
        async with running(settings, keys) as service:
            yield service


async def test_large_files_are_refused(narrow: Ingest) -> None:
    large = b"x" * 2_000_000
    status, problem, _ = await send(narrow, io.BytesIO(large))
    assert (status, problem["detail"][:11]) == (413, "A body may ")
    # Not declared, and beyond what a form keeps in memory.
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(large), filename="large.csv")
    assert (await send(narrow, form, None))[0] == 413
    status, _, _ = await send(narrow, gzip.compress(large), **{"Content-Encoding": "gzip"})
    assert status == 413


async def test_rows_beyond_the_most_are_not_taken(narrow: Ingest) -> None:
    status, problem, _ = await send(narrow, csv([line(number) for number in range(1_001)]))
    assert (status, problem["accepted"]) == (400, 1_000)
    assert "a file may have 1,000 rows" in problem["detail"]


async def test_a_broker_that_goes_away_in_the_middle_leaves_word_of_how_far_it_came(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, calls = Pipeline.take, 0

    async def takes_one_piece(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise BrokerAwayError
        return await take(*arguments)

    body = csv([line(number) for number in range(1_500)])
    with monkeypatch.context() as patched:
        patched.setattr(Pipeline, "take", takes_one_piece)
        status, problem, headers = await send(ingest, body)
    assert (status, headers["Retry-After"]) == (503, "5")
    assert (problem["accepted"], problem["refused"], problem["lines_done"]) == (1_000, 0, 1_001)
    assert "Send the whole file again" in problem["detail"]
    assert (await send(ingest, body))[:2] == (
        202,
        {"accepted": 1_500, "refused": 0, "rejected": []},
    )


async def test_a_source_that_is_paused_in_the_middle_is_told_so(ingest: Ingest) -> None:
    source = f"urn:nhipso:source:{secrets.token_hex(4)}"
    token = ingest.keys.token(sub=source, sources=[source])
    body = csv([line(number, level="two") for number in range(3_500)])
    status, problem, headers = await send(ingest, body, token=token)
    assert (status, headers["Retry-After"]) == (429, "300")
    assert problem["accepted"] == 0
    assert 1_000 <= problem["refused"] < 3_500
    assert len(problem["rejected"]) == 1_000
    assert "is paused" in problem["detail"]


async def test_no_more_files_are_read_at_once_than_there_is_room_for(narrow: Ingest) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield csv([line(1)])
        begun.set()
        await go_on.wait()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        first = group.create_task(send(narrow, slowly()))
        await begun.wait()
        while (answered := await send(narrow, csv([line(2)])))[0] != 429:
            pass
        assert answered[2]["Retry-After"] == "5"
        go_on.set()
    assert first.result()[0] == 202
    assert (await send(narrow, csv([line(3)])))[0] == 202


async def test_the_route_is_described(ingest: Ingest) -> None:
    _, described = await ingest.get("/openapi.json")
    content = described["paths"]["/v1/files"]["post"]["requestBody"]["content"]
    assert {CSV, XLSX, "multipart/form-data"} <= content.keys()
