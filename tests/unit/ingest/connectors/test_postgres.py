"""Positions of the postgres connector: what a pass reads, and what the next one."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.ingest.connectors import postgres
from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.postgres import position
from services.ingest.connectors.postgres.config import PostgresConfig
from services.ingest.connectors.postgres.position import Position, Snapshot

BEGAN = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)


def snapshot(horizon: int, following: int, identity: str = "c/1/5/9") -> Snapshot:
    return Snapshot(identity=identity, horizon=horizon, next=following, began=BEGAN)


def passed(before: Position | None, seen: Snapshot) -> Position:
    return position.finish(position.begin(before, seen, 7), None, is_number=False)


@given(st.integers(0, 2**32), st.integers(4, 25), st.integers(1, 6))
def test_every_transaction_that_commits_is_read_whenever_it_does(
    seed: int, transactions: int, polls: int
) -> None:
    # A model of the source: ids are drawn in order, those of subtransactions after their own, and
    # transactions end in any order. Between two of these steps the connector makes a pass.
    chance = random.Random(seed)
    running: dict[int, list[int]] = {}
    committed: set[int] = set()
    read: set[int] = set()
    following = 3
    now: Position | None = None
    for step in range(transactions * 4):
        if running and chance.random() < 0.4:
            ended = running.pop(chance.choice(list(running)))
            if chance.random() < 0.9:
                committed.update(ended)
        elif running and chance.random() < 0.4:
            running[chance.choice(list(running))].append(following)
            following += 1
        elif step < transactions * 3:
            running[following] = [following]
            following += 1
        if chance.random() < polls / 10:
            horizon = min(running, default=following)
            now = position.begin(now, snapshot(horizon, following), 7)
            read |= {one for one in committed if one >= now.horizon}
            now = position.finish(now, None, is_number=False)
    while running:
        committed.update(running.popitem()[1])
    now = position.begin(now, snapshot(following, following), 7)
    read |= {one for one in committed if one >= now.horizon}
    assert read == committed


def test_another_cluster_is_read_from_the_beginning_and_a_replica_behind_is_not() -> None:
    now = passed(None, snapshot(500, 500))
    assert now.horizon == 500
    assert position.begin(now, snapshot(600, 600, "c/2/5/9"), 7).horizon == 0
    replica = snapshot(450, 480).model_copy(update={"is_replica": True})
    assert passed(now, replica).horizon == 500
    # A primary is never behind itself, unless a crash has cost it transactions.
    assert position.begin(now, snapshot(450, 480), 7).horizon == 0


def test_a_pass_goes_on_until_the_table_is_written_anew() -> None:
    now = position.begin(None, snapshot(500, 500), 7)
    now = position.advance(now, ("41", "(0,1)"), is_number=True)
    assert position.resume(now, 7) == now
    again = position.resume(now, 8).under_way
    assert again is not None
    assert (again.after, again.horizon, again.filenode) == (None, 500, 8)
    assert position.finish(now, ("40", "(0,2)"), is_number=True).greatest == 41


def test_how_long_the_horizon_stands_still() -> None:
    first = passed(None, snapshot(500, 510))
    held = position.begin(first, snapshot(500, 520), 7)
    later = position.finish(held, None, is_number=False)
    assert later.held_since == first.held_since == BEGAN
    assert position.is_idle(passed(None, snapshot(500, 500)), snapshot(500, 500))
    assert not position.is_idle(later, snapshot(500, 520))
    assert not position.is_idle(None, snapshot(500, 500))


@pytest.mark.parametrize(
    ("kind", "late", "least"),
    [
        ("timestamp with time zone", 3_600, "2026-11-22T00:30:00+00:00"),
        ("timestamp without time zone", 3_600, "2026-11-21T00:30:00"),
        ("date", 3_600, "2026-11-21T00:30:00"),
        ("bigint", 30, "11"),
        ("bigint", None, None),
    ],
)
def test_what_late_means(kind: str, late: int | None, least: str | None) -> None:
    now = position.begin(None, snapshot(500, 500), 7)
    assert position.least_watermark(now, late, kind) is None
    last = ("41", "(0,1)")
    now = position.finish(now, last, is_number=kind == "bigint")
    assert position.least_watermark(now, late, kind) == least


@given(st.integers(1, 2**40), st.integers(0, 2**32 - 2))
def test_an_id_of_32_bits_is_the_last_one_that_has_them(following: int, back: int) -> None:
    """The arithmetic of queries.sql, in whole numbers of 64 bits."""
    xid = following - 1 - back
    if xid < 0:
        return
    xmin = xid % 2**32
    assert following - ((following - xmin) & 4_294_967_295) == xid


def test_a_cursor_is_json_and_comes_back() -> None:
    now = position.begin(None, snapshot(500, 500), 7)
    now = position.advance(now, ("2026-01-01", "(0,1)"), is_number=False)
    assert position.position_of(position.cursor_of(now)) == now
    assert position.position_of(None) is None
    with pytest.raises(SourceError):
        position.position_of([1])
    assert now.under_way is not None
    assert now.under_way.began - BEGAN == timedelta(0)


def test_the_examples_of_the_readme_can_be_used() -> None:
    text = (Path(postgres.__file__).parent / "README.md").read_text(encoding="utf-8")
    whole, part = [
        yaml.safe_load(block.partition("```")[0]) for block in text.split("```yaml\n")[1:]
    ]
    assert PostgresConfig.model_validate(whole["connectors"][0]["config"]).columns == ["event"]
    assert PostgresConfig.model_validate(part["config"]).columns == [
        *("account_id", "cccd", "level", "status", "updated_at", "version")
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"event_column": "event"}, "either event_column"),
        ({"mapping": None}, "either event_column"),
        ({"watermark": "cccd"}, "identifies a citizen or household"),
        ({"table": "a.b.c"}, "should match pattern"),
        ({"late": 0}, "greater than 0"),
        ({"dsn": "postgresql://a:b@c/d"}, "Extra inputs"),
    ],
)
def test_a_config_that_cannot_work_is_refused(changes: dict[str, Any], said: str) -> None:
    rule = {
        "type": "vn.nhipso.health.record-changed.v1",
        "subject": "citizen:{cccd}",
        "time": {"field": "at", "form": "rfc3339"},
        "data": {"active": {"constant": True}},
    }
    config = {"dsn_file": "a", "table": "t", "watermark": "at", "mapping": {"events": [rule]}}
    with pytest.raises(ValidationError, match=said):
        PostgresConfig.model_validate(config | changes)
