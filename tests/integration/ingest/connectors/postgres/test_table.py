"""What a table may hold and how it may be: values, names, grants, faults."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.ingest.connectors.connector import SourceError, UnmappableError
from tests.integration.ingest.connectors.conformance import citizen
from tests.integration.ingest.connectors.postgres.accounts import INSERT, MAPPING, Source
from tests.integration.ingest.connectors.postgres.conftest import Open

ODD = """
CREATE TYPE state AS ENUM ('open');
CREATE TABLE "Odd ""Table"" 1" (
    "Số thứ tự" bigint NOT NULL, at timestamptz, wall timestamp, day date, amount numeric(9, 2),
    code uuid, nested jsonb, is_on bool, name text, raw bytea, took interval, state state,
    list int[], nothing text, ratio float8, secret text);
INSERT INTO "Odd ""Table"" 1" VALUES (
    -5, '2026-11-22 08:30:00.123456+07', '2026-11-22 08:30', '1990-05-17', 12.50,
    '0b2f6f0e-6b3c-4b3e-9f2d-0c8f3d6f1a2b', '{"b": [1.10, null], "a": "é"}', true, E'Lê\\n"x"',
    '\\x00ff', '1 day 02:03', 'open', '{1,2}', NULL, 0.1, 'not read');
"""
COLUMNS = (
    "Số thứ tự",
    *("at", "wall", "day", "amount", "code", "is_on", "name", "raw", "took", "state", "list"),
    *("nothing", "ratio"),
)


def looking_at(columns: tuple[str, ...]) -> dict[str, Any]:
    """A mapping that reads these columns."""
    [rule] = MAPPING["events"]
    return {"events": [{**rule, "when": {column: ["x"] for column in columns}}]}


async def test_values_are_written_by_postgresql_always_alike(source: Source, reading: Open) -> None:
    await source.connection.execute(ODD)
    await source.connection.execute(
        f'ALTER TABLE "Odd ""Table"" 1" ADD cccd text, ADD level int, ADD status text,'
        f' ADD updated_at timestamptz; GRANT SELECT ON "Odd ""Table"" 1" TO {source.reader};'
        # Whatever the role is set to, it changes nothing.
        f"ALTER ROLE {source.reader} SET timezone TO 'Asia/Tokyo';"
        f"ALTER ROLE {source.reader} SET datestyle TO 'German';"
        f"ALTER ROLE {source.reader} SET intervalstyle TO 'sql_standard';"
        f"ALTER ROLE {source.reader} SET bytea_output TO 'escape'"
    )
    config = source.accounts(
        table='Odd "Table" 1',
        watermark="Số thứ tự",
        mapping=looking_at((*COLUMNS, "/nested/b/0")),
    )
    at = await reading(config)
    [original] = await at.all()
    row = json.loads(original, parse_float=str)
    assert row == {
        "Số thứ tự": -5,
        "at": "2026-11-22T01:30:00.123456+00:00",
        "wall": "2026-11-22T08:30:00",
        "day": "1990-05-17",
        "amount": "12.50",
        "code": "0b2f6f0e-6b3c-4b3e-9f2d-0c8f3d6f1a2b",
        "nested": {"a": "é", "b": ["1.10", None]},
        "is_on": True,
        "name": 'Lê\n"x"',
        "raw": "\\x00ff",
        "took": "P1DT2H3M",
        "state": "open",
        "list": [1, 2],
        "nothing": None,
        "ratio": "0.1",
        **dict.fromkeys(("cccd", "level", "status", "updated_at")),
    }
    again = await reading(config)
    assert await again.all() == [original]


@pytest.mark.parametrize("column", ["timestamp", "date", "smallint", "int"])
async def test_watermarks_of_other_types(source: Source, reading: Open, column: str) -> None:
    await source.connection.execute(
        f"CREATE TABLE other (seen {column} NOT NULL, event json);"
        f"GRANT SELECT ON other TO {source.reader}"
    )
    value = "now()" if column in ("timestamp", "date") else "7"
    await source.connection.execute(
        f"INSERT INTO other SELECT {value}, '{{}}' FROM generate_series(1, 25)"  # noqa: S608
    )
    at = await reading(source.outbox(table="public.other", watermark="seen", late=60, page_rows=10))
    assert len(await at.all()) == 25
    await source.connection.execute(f"INSERT INTO other VALUES ({value}, '{{}}')")  # noqa: S608
    assert len(await at.all()) == 1


async def test_a_page_ends_at_eight_mebibytes(source: Source, reading: Open) -> None:
    await source.connection.execute(
        "INSERT INTO outbox (event) SELECT jsonb_build_object('x', repeat('x', 3000000))"
        " FROM generate_series(1, 7)"
    )
    at = await reading(source.outbox())
    sizes = []
    while len(at.originals) < 7:
        sizes.append(len((await at.page()).records))
    assert sizes == [2, 2, 2, 1]


async def test_neither_place_nor_cursor_names_anybody(source: Source, reading: Open) -> None:
    for number in range(25):
        await source.connection.execute(INSERT, citizen(number), None)
    at = await reading(source.accounts(page_rows=10))
    page = await at.page()
    shown = json.dumps([at.cursor, [record.place for record in page.records]])
    assert page.records[0].place.startswith("eid.accounts ctid (0,1) xmin ")
    assert not any(citizen(number) in shown for number in range(25))


async def test_a_row_of_an_outbox_without_an_event_says_so(source: Source, reading: Open) -> None:
    at = await reading(source.outbox())
    await source.connection.execute("INSERT INTO outbox (event) VALUES (NULL), ('[1]')")
    for original in await at.all():
        with pytest.raises(UnmappableError, match="the column event holds no JSON object"):
            at.connector.map(original)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"table": "eid.nothing"}, "there is no table eid.nothing"),
        ({"table": "eid.hidden"}, r"may not be read by this role; GRANT SELECT"),
        ({"table": "eid.seen"}, "is no plain table"),
        ({"watermark": "created"}, "has no column created"),
        ({"watermark": "status"}, "has in status neither times nor whole numbers"),
        ({"table": "eid.loose"}, "may hold null in updated_at"),
        ({"mapping": looking_at(("colour",))}, "has no column colour"),
    ],
)
async def test_a_table_that_does_not_fit_is_told_of(
    source: Source, reading: Open, changes: dict[str, Any], said: str
) -> None:
    await source.connection.execute(
        "CREATE TABLE eid.hidden (LIKE eid.accounts);"  # noqa: S608
        "CREATE VIEW eid.seen AS SELECT * FROM eid.accounts;"
        "CREATE TABLE eid.loose (LIKE eid.accounts);"
        "ALTER TABLE eid.loose ALTER updated_at DROP NOT NULL;"
        f"GRANT SELECT ON eid.seen, eid.loose TO {source.reader}"
    )
    at = await reading(source.accounts(**changes))
    with pytest.raises(SourceError, match=said):
        await at.page()


async def test_a_database_that_refuses_or_is_away_is_told_of(
    source: Source, reading: Open, tmp_path: Path
) -> None:
    good = source.dsn_file.read_text(encoding="utf-8")
    wrong = {
        good.replace(source.reader, "nobody"): "refuses the role or its password",
        good.strip() + "_not": "has no database of this name",
        "postgresql://reader:hidden-word@127.0.0.1:1/none": "cannot be reached",
        "mysql://reader:hidden-word@127.0.0.1/none": "dsn_file holds no URL",
        " ": "is empty",
    }
    for text, said in wrong.items():
        (tmp_path / "wrong.dsn").write_text(text, encoding="utf-8")
        with pytest.raises(SourceError, match=said) as caught:
            await reading(source.accounts(dsn_file=tmp_path / "wrong.dsn"))
        assert "hidden-word" not in str(caught.value)
    with pytest.raises(SourceError, match="cannot read the secret file"):
        await reading(source.accounts(dsn_file=tmp_path / "none.dsn"))


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(
    source: Source, reading: Open
) -> None:
    await source.connection.execute(
        "CREATE FUNCTION slow(text) RETURNS text LANGUAGE sql VOLATILE"
        " AS $$ SELECT $1 FROM pg_sleep(30) $$;"
        "CREATE POLICY slowly ON eid.accounts USING (slow(cccd) = cccd);"
        "ALTER TABLE eid.accounts ENABLE ROW LEVEL SECURITY"
    )
    await source.connection.execute(INSERT, citizen(1), None)
    at = await reading(source.accounts(statement_timeout_seconds=0.3))
    with pytest.raises(SourceError, match="took too long") as caught:
        await at.page()
    assert citizen(1) not in str(caught.value)


async def test_a_locked_table_and_a_lost_connection_are_told_of(
    source: Source, reading: Open
) -> None:
    at = await reading(source.accounts(statement_timeout_seconds=0.3))
    await at.page()
    async with source.connection.transaction():
        await source.connection.execute("LOCK TABLE eid.accounts IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(SourceError, match="took too long"):
            await at.page()
    await source.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", source.reader
    )
    with pytest.raises(SourceError, match="the source's database"):
        await at.page()
