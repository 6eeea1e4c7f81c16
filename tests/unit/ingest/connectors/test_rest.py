"""Positions and pages of the rest connector."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from contracts.times import parse_rfc3339
from services.ingest.connectors import rest
from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.rest import paging, position
from services.ingest.connectors.rest.config import RestConfig, Watermark
from services.ingest.connectors.rest.position import Place, Position
from services.ingest.connectors.rest.sealing import Seal
from services.ingest.core.declared_values import TimeForm, moment
from services.ingest.core.pseudonyms import Pseudonymiser

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_the_watermark_moves_at_the_end_alone_and_never_past_the_beginning() -> None:
    now = position.begin(Position(since=NOON - minutes(60)), NOON)
    now = position.seen(now, {"a": NOON - minutes(30), "b": NOON - minutes(90), "c": None})
    now = position.turn(now, Place(number=1))
    assert (now.since, now.at.number) == (NOON - minutes(60), 1)
    now = position.seen(now, {"d": NOON + minutes(30)})
    ended = position.finish(now, 3_600)
    assert ended.since == NOON
    # What the overlap will bring again is remembered; what it will not is forgotten.
    assert set(ended.known) == {"a", "c", "d"}
    assert position.asked_since(ended, None, 3_600) == NOON - minutes(60)
    assert position.again(now).since == NOON - minutes(60)


def test_the_watermark_does_not_go_back() -> None:
    now = position.begin(Position(since=NOON - minutes(1)), NOON)
    now = position.seen(now, {"a": NOON - minutes(5)})
    assert position.finish(now, 300).since == NOON - minutes(1)
    assert position.finish(position.begin(Position(), NOON), 300) == Position()


def test_the_overlap_does_not_reach_behind_the_start() -> None:
    start = NOON
    assert position.asked_since(Position(since=start), start, 300) == start
    assert position.asked_since(Position(since=start + minutes(1)), start, 300) == start
    assert position.asked_since(Position(), None, 300) is None


def test_only_so_many_records_are_remembered() -> None:
    now = position.begin(Position(), NOON)
    changed = {str(n): NOON - timedelta(seconds=n) for n in range(position.MOST_KNOWN + 50)}
    assert set(position.seen(now, changed).known) == {str(n) for n in range(position.MOST_KNOWN)}


@given(
    st.datetimes(
        datetime(2001, 1, 1),  # noqa: DTZ001 - hypothesis wants bounds without a zone
        datetime(2099, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    st.sampled_from(["rfc3339", "epoch-s", "epoch-ms", "epoch-us", "local", "date"]),
    st.sampled_from([None, "Asia/Ho_Chi_Minh", "UTC"]),
)
def test_a_time_is_asked_for_as_it_is_read_and_never_later(
    at: datetime, form: TimeForm, zone: str | None
) -> None:
    given_zone = {} if zone is None or form == "rfc3339" else {"zone": zone}
    watermark = Watermark.model_validate(
        {"parameter": "p", "field": "f", "form": form, **given_zone}
    )
    said = paging.written(at, watermark)
    read = parse_rfc3339(moment(said, form, watermark.zone))
    most = {"rfc3339": 0.0, "epoch-us": 0.0, "epoch-ms": 0.001, "date": 86_400.0}
    assert timedelta(0) <= at - read <= timedelta(seconds=most.get(form, 1.0))


def test_a_sealed_token_is_read_by_us_alone() -> None:
    key, other = Pseudonymiser(bytes(32)), Pseudonymiser(bytes(range(32)))
    sealed = Seal(key).seal("after=001099000001")
    assert "001099000001" not in sealed
    assert Seal(key).open(sealed) == "after=001099000001"
    assert Seal(other).open(sealed) is None
    assert Seal(key).open("no seal") is None


@pytest.fixture
def config() -> RestConfig:
    text = (Path(rest.__file__).parent / "README.md").read_text(encoding="utf-8")
    [entry] = yaml.safe_load(text.split("```yaml\n")[1].partition("```")[0])["connectors"]
    return RestConfig.model_validate(entry["config"])


def test_the_example_of_the_readme_can_be_used(config: RestConfig) -> None:
    url = paging.url_of(config, Place(), None, NOON)
    assert str(url) == (
        "https://api.ehr.example/v2/records?province=15&updated_since=2026-03-01T12:00:00Z"
    )
    following = paging.url_of(config, Place(number=1), "a+b/=", NOON)
    assert following.query["after"] == "a+b/="
    assert paging.records_of(config, {"data": {"items": [1]}}) == [1]


@pytest.mark.parametrize("given", [None, "", False])
def test_nothing_given_ends_a_pass(config: RestConfig, given: object) -> None:
    here = URL(config.url)
    assert paging.next_token(config, {"meta": {"next": given}}, None, here) is None
    assert paging.next_token(config, {"meta": {}}, None, here) is None
    assert paging.next_token(config, {"meta": {"next": 0}}, None, here) == "0"


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("?page=2", "https://api.ehr.example/v2/records?page=2"),
        ("/v2/more", "https://api.ehr.example/v2/more"),
        ("https://api.ehr.example:443/x", "https://api.ehr.example/x"),
        ("http://api.ehr.example/x", None),
        ("https://api.ehr.example:8443/x", None),
        ("https://api.ehr.example.evil.example/x", None),
        ("https://api.ehr.example@evil.example/x", None),
    ],
)
def test_links_stay_at_home(config: RestConfig, link: str, leads: str | None) -> None:
    linked = RestConfig.model_validate(
        config.model_dump(mode="json", include={"url", "watermark", "records"})
        | {"paging": {"style": "link-header"}, "mapping": config.mapping}
    )
    if leads is None:
        with pytest.raises(SourceError, match="leads to another host"):
            paging.next_token(linked, {}, link, URL(config.url))
    else:
        token = paging.next_token(linked, {}, link, URL(config.url))
        assert token is not None
        assert URL(token) == URL(leads)
