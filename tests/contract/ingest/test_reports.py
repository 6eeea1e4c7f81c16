"""``/v1/reports`` over HTTP, with a real broker and database."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from contracts.events import SUBJECT_EVENT
from contracts.times import LOCAL_ZONE
from contracts.topics import SUBJECT_EVENTS
from services.chassis.clock import FixedClock
from services.ingest.reports import layout
from tests.contract.ingest.service import Ingest, Keys, Topic, running, settings_for, tail
from tests.databases import new_database
from tests.unit.ingest.reports.workbooks import refilled

UNIT, OTHER = "2025:04252", "2025:02647"
TEAMS, COVERAGE = "nf.community-teams", "dt.soc.5"
OPEN = datetime(2026, 11, 3, 9, tzinfo=LOCAL_ZONE)


@pytest.fixture
async def clock() -> FixedClock:
    return FixedClock(OPEN)


@pytest.fixture
async def ingest(kafka: str, postgres: str, keys: Keys, clock: FixedClock) -> AsyncIterator[Ingest]:
    async with (
        new_database(postgres) as database,
        running(settings_for(keys, kafka, database), keys, clock) as service,
    ):
        yield service


@pytest.fixture
async def subject_events(ingest: Ingest, kafka: str) -> AsyncIterator[Topic]:
    async with tail(SUBJECT_EVENTS, kafka) as topic:
        yield topic


class Unit:
    """Somebody who reports."""

    def __init__(self, ingest: Ingest, token: str) -> None:
        self._ingest = ingest
        self._token = token

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        media_type: str | None = None,
        language: str | None = None,
        **query: str,
    ) -> tuple[int, bytes, Mapping[str, str]]:
        headers = {"Authorization": f"Bearer {self._token}"}
        if media_type is not None:
            headers["Content-Type"] = media_type
        if language is not None:
            headers["Accept-Language"] = language
        async with self._ingest.http.request(
            method,
            f"{self._ingest.url}{path}",
            data=BytesIO(body or b""),
            headers=headers,
            params=query,
        ) as answer:
            return answer.status, await answer.read(), answer.headers

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        status, body, _ = await self.ask("GET", path, None, None, None, **query)
        return status, json.loads(body)

    async def send(
        self, body: bytes, media_type: str = layout.XLSX, language: str | None = None, **query: str
    ) -> tuple[int, Any]:
        status, answer, _ = await self.ask(
            "POST", "/v1/reports", body, media_type, language, **query
        )
        return status, json.loads(answer)

    async def report(self, *rows: tuple[Any, ...], area: str = UNIT) -> tuple[int, Any]:
        """Send rows of indicator, numerator and denominator as JSON."""
        names = ("indicator", "numerator", "denominator", "note")
        said = {
            "area": area,
            "period": "2026-10",
            "rows": [dict(zip(names, row, strict=False)) for row in rows],
        }
        return await self.send(json.dumps(said).encode(), layout.JSON)

    async def template(self, area: str = UNIT, period: str = "2026-10") -> bytes:
        status, body, headers = await self.ask(
            "GET", "/v1/reports/template", area=area, period=period
        )
        assert status == 200
        assert headers["Content-Type"] == layout.XLSX
        assert ".xlsx" in headers["Content-Disposition"]
        return body


@pytest.fixture
def unit(ingest: Ingest) -> Unit:
    return Unit(ingest, ingest.keys.token(sub="unit:yen-bai", role="unit", areas=[UNIT]))


@pytest.fixture
def operator(ingest: Ingest) -> Unit:
    return Unit(ingest, ingest.keys.token(sub="operator", role="operator"))


async def test_a_form_is_fetched_filled_in_sent_and_counts_as_events(
    unit: Unit, subject_events: Topic
) -> None:
    blank = await unit.template()
    content = refilled({TEAMS: {"numerator": 12, "denominator": 14, "note": "đủ"}}, blank)

    status, answer = await unit.send(content)

    assert status == 201
    assert (answer["area"], answer["period"], answer["version"]) == (UNIT, "2026-10", 1)
    assert (answer["state"], answer["sub"], answer["role"]) == ("accepted", "unit:yen-bai", "unit")
    assert answer["sha256"] == hashlib.sha256(content).hexdigest()
    assert answer["figures"] == [
        {
            "indicator": TEAMS,
            "numerator": 12,
            "denominator": 14,
            "value": None,
            "note": "đủ",
            "change": "new",
        }
    ]
    [record] = await subject_events.take(1)
    event = SUBJECT_EVENT.validate_json(record.value or b"")
    assert record.key == f"area:{UNIT}".encode()
    assert event.id == f"{UNIT}|2026-10|{TEAMS}|1"
    assert event.source == "urn:nhipso:source:report"
    assert event.time == OPEN
    assert event.data.model_dump(exclude_none=True) == {
        "indicator": TEAMS,
        "period": "2026-10",
        "numerator": 12,
        "denominator": 14,
    }


async def test_a_correction_is_a_new_version_whose_later_time_wins(
    unit: Unit, subject_events: Topic
) -> None:
    assert (await unit.report((TEAMS, 12, 14), (COVERAGE, 3, 4)))[0] == 201
    # The clock has not moved, or was set back: the correction's time is later all the same.
    status, second = await unit.report((TEAMS, 13, 14), (COVERAGE, 3, 4))

    assert status == 201
    assert second["version"] == 2
    changes = {figure["indicator"]: figure["change"] for figure in second["figures"]}
    assert changes == {TEAMS: "changed", COVERAGE: "unchanged"}
    events = [SUBJECT_EVENT.validate_json(r.value or b"") for r in await subject_events.take(4)]
    teams = sorted((event.time, event.id) for event in events if TEAMS in event.id)
    assert [event_id[-1] for _, event_id in teams] == ["1", "2"]
    assert teams[0][0] < teams[1][0]

    status, listed = await unit.get("/v1/reports", area=UNIT, period="2026-10")
    assert status == 200
    assert [(one["version"], one["state"]) for one in listed["reports"]] == [
        (2, "accepted"),
        (1, "accepted"),
    ]
    first = listed["reports"][1]["id"]
    status, old = await unit.get(f"/v1/reports/{first}")
    assert {figure["numerator"] for figure in old["figures"]} == {12, 3}


async def test_what_a_correction_does_not_speak_of_stays_and_empty_cells_withdraw_nothing(
    unit: Unit, subject_events: Topic
) -> None:
    await unit.report((TEAMS, 12, 14), (COVERAGE, 3, 4))
    status, second = await unit.report((TEAMS, 13, 14))
    assert status == 201
    assert {f["indicator"]: f["change"] for f in second["figures"]} == {
        TEAMS: "changed",
        COVERAGE: "kept",
    }
    await subject_events.take(3)

    status, refused = await unit.report((TEAMS, 13, 14), (COVERAGE, None, None))
    assert status == 422
    [fault] = refused["errors"]
    assert (fault["code"], fault["cell"], fault["indicator"]) == (
        "withdrawn",
        "rows[1].numerator",
        COVERAGE,
    )
    assert "3 / 4" in fault["message"]


async def test_the_form_of_a_reported_period_is_filled_in_with_what_was_sent(
    unit: Unit, operator: Unit, clock: FixedClock
) -> None:
    clock.set(OPEN - timedelta(days=31))
    rows = [{"indicator": TEAMS, "numerator": 1000, "denominator": 2000}]
    body = {"area": UNIT, "period": "2026-09", "rows": rows}
    assert (await unit.send(json.dumps(body).encode(), layout.JSON))[0] == 201
    clock.set(OPEN)
    await unit.report((TEAMS, 12, 14))

    sheet = load_workbook(BytesIO(await unit.template())).worksheets[0]
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value]
    assert "Tháng 9 năm 2026" in texts
    assert "1.000 / 2.000\n(50,00 %)" in texts
    assert "Đã gửi (lần 1)" in texts
    assert "12" in texts

    content = refilled({TEAMS: {"numerator": 13}}, await operator.template())
    status, answer = await operator.send(content)
    assert status == 201
    assert (answer["version"], answer["role"]) == (2, "operator")
    assert answer["figures"][0]["change"] == "changed"


async def test_every_mistake_of_a_form_is_told_by_its_cell_and_nothing_is_kept(
    unit: Unit, subject_events: Topic
) -> None:
    content = refilled(
        {
            TEAMS: {"numerator": 15, "denominator": 14},
            COVERAGE: {"numerator": "mười", "denominator": 1.5, "note": "CCCD 001234567890"},
        },
        await unit.template(),
    )
    status, answer = await unit.send(content)

    assert status == 422
    assert answer["title"] == "Báo cáo chưa được nhận"
    found = {(one["sheet"], one["cell"], one["code"]) for one in answer["errors"]}
    assert {code for _, _, code in found} == {
        "above-denominator",
        "not-a-number",
        "not-whole",
        "personal-number",
    }
    assert {sheet for sheet, _, _ in found} == {"Báo cáo"}
    assert all(cell[0] in "FGK" for _, cell, _ in found)
    assert "1234567890" not in json.dumps(answer)
    above = next(one for one in answer["errors"] if one["code"] == "above-denominator")
    assert above["indicator"] == TEAMS
    assert above["message"] == "Tử số 15 lớn hơn mẫu số 14."

    status, listed = await unit.get("/v1/reports")
    assert listed == {"reports": [], "next": None}
    await subject_events.take(0)

    status, answer = await unit.send(content, language="en-GB,en;q=0.9")
    assert answer["title"] == "The report was not taken"
    above = next(one for one in answer["errors"] if one["code"] == "above-denominator")
    assert above["message"] == "The numerator 15 is above the denominator 14."


async def test_csv_says_in_the_query_whose_report_it_is(unit: Unit) -> None:
    lines = "Mã;Tử số;Mẫu số\nnf.community-teams;1.200;1.300\n".encode()
    status, answer = await unit.send(lines, "text/csv; charset=utf-8", area=UNIT, period="2026-10")
    assert status == 201
    assert answer["figures"][0]["numerator"] == 1200
    status, answer = await unit.send(lines, layout.CSV)
    assert status == 422
    assert [one["code"] for one in answer["errors"]] == ["no-reporter"]


async def test_the_same_file_again_is_the_version_that_it_made(
    unit: Unit, subject_events: Topic
) -> None:
    _, first = await unit.report((TEAMS, 12, 14))
    status, again = await unit.report((TEAMS, 12, 14))
    assert status == 200
    assert again["id"] == first["id"]
    await subject_events.take(1)


async def test_the_file_is_given_back_as_it_was_sent(unit: Unit) -> None:
    content = refilled({TEAMS: {"numerator": 1, "denominator": 2}}, await unit.template())
    _, answer = await unit.send(content)
    status, body, headers = await unit.ask("GET", f"/v1/reports/{answer['id']}/file")
    assert status == 200
    assert body == content
    assert headers["Content-Disposition"].endswith('"bao-cao-2025-04252-2026-10-v1.xlsx"')
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_a_form_of_another_unit_or_period_is_refused(unit: Unit, operator: Unit) -> None:
    content = await operator.template(area=OTHER)
    assert (await unit.send(content))[0] == 403
    status, answer = await unit.send(content, area=UNIT, period="2026-09")
    assert status == 422
    assert [one["code"] for one in answer["errors"]] == ["other-reporter", "other-period"]


async def test_who_may_report_and_read_what(ingest: Ingest, unit: Unit, operator: Unit) -> None:
    _, kept = await unit.report((TEAMS, 12, 14))
    token = ingest.keys.token
    other = Unit(ingest, token(sub="unit:other", role="unit", areas=[OTHER]))
    leader = Unit(ingest, token(sub="leader", role="leader"))
    reports = Unit(
        ingest, token(sub="report", sources=["urn:nhipso:source:report"], domains=["report"])
    )
    people = Unit(ingest, token())

    assert (await other.report((TEAMS, 1, 2)))[0] == 403
    assert (await leader.report((TEAMS, 1, 2)))[0] == 403
    assert (await people.report((TEAMS, 1, 2)))[0] == 403
    assert (await reports.report((TEAMS, 1, 2)))[0] == 201
    assert (await other.get("/v1/reports/template", area=UNIT, period="2026-10"))[0] == 403

    assert (await other.get(f"/v1/reports/{kept['id']}"))[0] == 404
    assert (await other.get("/v1/reports", area=UNIT))[0] == 403
    assert (await other.get("/v1/reports"))[1]["reports"] == []
    assert (await people.get("/v1/reports"))[0] == 403
    province = Unit(ingest, token(sub="unit:lao-cai", role="unit", areas=["2025:15"]))
    assert (await province.report((TEAMS, 1, 2)))[0] == 403
    for reader in (unit, operator, leader, province):
        status, answer = await reader.get("/v1/reports")
        assert status == 200
        assert len(answer["reports"]) == 2
        assert (await reader.get(f"/v1/reports/{kept['id']}"))[0] == 200
    status, _, _ = await Unit(ingest, "none").ask("GET", "/v1/reports")
    assert status == 401


async def test_a_period_is_taken_while_it_is_open_and_later_from_operators(
    unit: Unit, operator: Unit, clock: FixedClock
) -> None:
    clock.set(datetime(2026, 10, 30, tzinfo=LOCAL_ZONE))
    status, answer = await operator.report((TEAMS, 12, 14))
    assert (status, answer["errors"][0]["code"]) == (422, "not-open")
    clock.set(datetime(2026, 11, 26, tzinfo=LOCAL_ZONE))
    status, answer = await unit.report((TEAMS, 12, 14))
    assert (status, answer["errors"][0]["code"]) == (422, "closed")
    assert (await operator.report((TEAMS, 12, 14)))[0] == 201


async def test_agencies_report_too_and_where_there_is_no_form_it_is_said(
    operator: Unit, subject_events: Topic
) -> None:
    status, _ = await operator.report(("dt.gov.7", 3, 4), area="agency:so-y-te")
    assert status == 201
    [record] = await subject_events.take(1)
    assert record.key == b"agency:so-y-te"
    status, answer = await operator.get(
        "/v1/reports/template", area="agency:so-y-te", period="2026-Q3"
    )
    assert (status, answer["code"]) == (404, "not-asked")
    assert "Quý III năm 2026" in answer["detail"]


async def test_what_cannot_be_read_is_no_report(unit: Unit) -> None:
    status, answer = await unit.send(b"PK nothing")
    assert (status, answer["errors"][0]["code"]) == (400, "unreadable")
    assert (await unit.send(b"{}", "application/pdf"))[0] == 415
    assert (await unit.send(b"x" * (2 * 1024 * 1024 + 1)))[0] == 413


async def test_the_list_goes_on_where_it_ended(unit: Unit) -> None:
    for numerator in range(3):
        await unit.report((TEAMS, numerator, 14))
    _, first = await unit.get("/v1/reports", limit="2")
    assert [one["version"] for one in first["reports"]] == [3, 2]
    _, rest = await unit.get("/v1/reports", limit="2", after=first["next"])
    assert [one["version"] for one in rest["reports"]] == [1]
    assert rest["next"] is None


async def test_reports_are_counted_and_known_to_the_periods(
    ingest: Ingest, unit: Unit, operator: Unit
) -> None:
    await unit.report((TEAMS, 15, 14))
    await unit.report((TEAMS, 12, 14), (COVERAGE, 1, 2))
    _, metrics = await ingest.get("/metrics")
    assert 'ingest_reports_total{result="refused"} 1.0' in metrics
    assert 'ingest_reports_total{result="accepted"} 1.0' in metrics
    assert 'ingest_report_faults_total{code="above-denominator"} 1.0' in metrics
    status, answer = await operator.get(
        "/v1/reports/completeness", period="2026-10", level="commune"
    )
    assert status == 200
    communes = next(one for one in answer["levels"] if one["level"] == "commune")
    [mine] = [one for one in communes["units"] if one["area"] == UNIT]
    assert (mine["version"], mine["missing"]) == (1, [])
