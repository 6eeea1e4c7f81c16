"""What an API may do wrong, and what becomes of it."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from services.chassis.clock import FixedClock, SystemClock
from services.ingest.connectors.connector import SourceError
from tests.integration.ingest.connectors.rest.api import (
    Fault,
    JsonApi,
    answering,
    config_of,
    half,
    reading,
    record,
    saying,
    serving,
    slow,
)


@pytest.fixture
async def api() -> AsyncIterator[JsonApi]:
    async with serving(JsonApi(records=[record(1)])) as api:
        yield api


def oauth2(api: JsonApi, folder: Path, word: str = "sesame", **changes: Any) -> dict[str, Any]:
    (folder / "client.secret").write_text(word + "\n", encoding="utf-8")
    return {
        "kind": "oauth2",
        "token_url": f"{api.url}/token",
        "client_id": "ingest",
        "client_secret_file": folder / "client.secret",
        **changes,
    }


@pytest.mark.parametrize(
    "fault",
    [
        answering(500),
        answering(502),
        answering(503),
        answering(408),
        answering(429, **{"Retry-After": "0"}),
        half,
        saying("<html>a proxy's page</html>"),
        saying('{"items": ['),
        saying("[" * 100_000),
    ],
)
async def test_a_passing_fault_is_tried_again_at_once(api: JsonApi, fault: Fault) -> None:
    api.faults = [fault, fault]
    async with reading(config_of(api)) as one:
        assert await one.ids() == ["r1-1"]
    assert len(api.asked) == 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (answering(500), "the API answers 500"),
        (half, "the API cannot be read"),
        (saying("<html>"), "not JSON; look at url"),
    ],
)
async def test_a_fault_that_stays_is_told_of(api: JsonApi, fault: Fault, said: str) -> None:
    api.faults = [fault] * 3
    async with reading(config_of(api)) as one:
        with pytest.raises(SourceError, match=said) as caught:
            await one.page()
    assert "001099000001" not in str(caught.value)
    assert caught.value.retry_after_seconds is None


async def test_a_slow_answer_is_not_waited_for(api: JsonApi) -> None:
    api.faults = [slow] * 3
    async with reading(config_of(api, timeout_seconds=0.2)) as one:
        with pytest.raises(SourceError, match="does not answer in time"):
            await one.page()


async def test_an_api_that_is_away_is_told_of(api: JsonApi) -> None:
    config = config_of(api, url="http://127.0.0.1:1/records")
    async with reading(config) as one:
        with pytest.raises(SourceError, match="cannot be read"):
            await one.page()


async def test_what_the_api_asks_us_to_wait_is_obeyed(api: JsonApi) -> None:
    now = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    later = format_datetime(now + timedelta(minutes=2), usegmt=True)
    past = format_datetime(now - timedelta(minutes=2), usegmt=True)
    asked = {"90": 90.0, later: 120.0, "1000000": 3_600.0}
    for written, seconds in asked.items():
        for status in (429, 503):
            api.faults = [answering(status, **{"Retry-After": written})]
            async with reading(config_of(api), FixedClock(now)) as one:
                with pytest.raises(SourceError, match=f"answers {status}") as caught:
                    await one.page()
            assert caught.value.retry_after_seconds == seconds
    for written in ("soon", past, ""):
        api.faults = [answering(429, **{"Retry-After": written})]
        async with reading(config_of(api), FixedClock(now)) as one:
            assert await one.ids() == ["r1-1"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "answers 400; look at url and parameters"),
        (403, "answers 403; look at access"),
        (404, "answers 404"),
        (301, "leads elsewhere"),
        (307, "leads elsewhere"),
    ],
)
async def test_a_lasting_fault_is_told_of_at_once(api: JsonApi, status: int, said: str) -> None:
    # A circle of redirects is never entered.
    api.faults = [answering(status, Location="/records")] * 5
    async with reading(config_of(api)) as one:
        with pytest.raises(SourceError, match=said):
            await one.page()
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}", "no array at /items"),
        ('{"items": {}}', "no array at /items"),
        ('{"items": [], "next": {"a": 1}}', "neither a text nor a number"),
    ],
)
async def test_an_answer_of_another_form_is_told_of(api: JsonApi, body: str, said: str) -> None:
    api.faults = [saying(body)]
    async with reading(config_of(api)) as one:
        with pytest.raises(SourceError, match=said):
            await one.page()


@pytest.mark.parametrize(
    "link", ["https://elsewhere.example/records", "//elsewhere.example/", "http://[", "ftp://x/"]
)
async def test_a_link_to_another_host_is_not_followed(api: JsonApi, link: str) -> None:
    api.faults = [saying(f'{{"items": [], "links": {{"next": "{link}"}}}}')]
    async with reading(config_of(api, "next-link")) as one:
        with pytest.raises(SourceError, match="leads to another host"):
            await one.page()


async def test_an_answer_has_bounds_also_when_it_was_compressed(api: JsonApi) -> None:
    async def bomb(_: web.Request) -> web.StreamResponse:
        response = web.Response(text='{"items": [' + " " * 5_000_000 + "]}")
        response.enable_compression(web.ContentCoding.gzip)
        return response

    api.faults = [bomb]
    async with reading(config_of(api, max_body_bytes=1_000_000)) as one:
        with pytest.raises(SourceError, match="longer than 1000000 bytes"):
            await one.page()


async def test_a_token_is_kept_until_shortly_before_it_ends(api: JsonApi, tmp_path: Path) -> None:
    clock = FixedClock(SystemClock().now())
    for style in ("basic", "post"):
        access = oauth2(api, tmp_path, client_authentication=style, scope="read")
        api.tokens = 0
        async with reading(config_of(api, access=access), clock) as one:
            for _ in range(3):
                await one.ids()
            assert api.tokens == 1
            clock.advance(timedelta(seconds=3_560))
            await one.ids()
            assert api.tokens == 1
            clock.advance(timedelta(seconds=15))
            await one.ids()
            assert api.tokens == 2


async def test_a_token_that_ends_early_is_renewed_once(api: JsonApi, tmp_path: Path) -> None:
    async with reading(config_of(api, access=oauth2(api, tmp_path))) as one:
        assert await one.ids() == ["r1-1"]
        api.valid = "another"
        api.records.append(record(2))
        assert await one.ids() == ["r2-1"]
        assert api.tokens == 2
        api.faults = [answering(401)] * 2
        with pytest.raises(SourceError, match=r"refuses the credential \(401\)"):
            await one.page()
        assert api.tokens == 3


async def test_a_refused_client_is_told_of(api: JsonApi, tmp_path: Path) -> None:
    async with reading(config_of(api, access=oauth2(api, tmp_path, "wrong-word"))) as one:
        with pytest.raises(SourceError, match="the token endpoint answers 401") as caught:
            await one.page()
    assert "wrong-word" not in str(caught.value)
    nowhere = oauth2(api, tmp_path, token_url="http://127.0.0.1:1/token")
    async with reading(config_of(api, access=nowhere)) as one:
        with pytest.raises(SourceError, match="the token endpoint does not answer"):
            await one.page()
    missing = oauth2(api, tmp_path, client_secret_file=tmp_path / "none")
    async with reading(config_of(api, access=missing)) as one:
        with pytest.raises(SourceError, match="cannot read the secret file"):
            await one.page()


async def test_a_static_token_comes_from_its_file(api: JsonApi, tmp_path: Path) -> None:
    api.valid = "long-lived"
    (tmp_path / "token").write_text("long-lived\n", encoding="utf-8")
    access = {"kind": "bearer", "token_file": tmp_path / "token"}
    async with reading(config_of(api, access=access)) as one:
        assert await one.ids() == ["r1-1"]
        (tmp_path / "token").write_text("another", encoding="utf-8")
        with pytest.raises(SourceError, match="refuses the credential"):
            await one.page()


async def test_a_certificate_must_be_trusted(tmp_path: Path) -> None:
    certificate = _self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, tmp_path / "key.pem")
    async with serving(JsonApi(records=[record(1)]), context) as api:
        async with reading(config_of(api)) as one:
            with pytest.raises(SourceError, match="certificate is not trusted"):
                await one.page()
        async with reading(config_of(api, ca_file=certificate)) as one:
            assert await one.ids() == ["r1-1"]
        (tmp_path / "empty.pem").touch()
        with pytest.raises(SourceError, match="cannot be read as certificates"):
            async with reading(config_of(api, ca_file=tmp_path / "empty.pem")):
                pass


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    return folder / "certificate.pem"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://api.example/records"}, "must begin with https://"),
        ({"url": "ftp://api.example/records"}, "must be https://host/path"),
        ({"url": "https://me:word@api.example/records"}, "without user and password"),
        ({"url": "no url"}, "must be https://host/path"),
        ({"headers": {"AUTHORIZATION": "x"}}, "secrets do not belong here"),
        ({"paging": {"style": "spiral"}}, "does not match any of the expected tags"),
        ({"records": "items"}, "should match pattern"),
        (
            {
                "watermark": {
                    "parameter": "a",
                    "field": "b",
                    "form": "rfc3339",
                    "start": "2026-01-01",
                }
            },
            "timezone",
        ),
        (
            {
                "access": {
                    "kind": "oauth2",
                    "token_url": "http://id.example/token",
                    "client_id": "a",
                    "client_secret_file": "b",
                }
            },
            "must begin with https://",
        ),
    ],
)
async def test_a_config_that_cannot_work_is_refused(
    api: JsonApi, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        config_of(api, **changes)
