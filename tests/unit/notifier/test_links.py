"""Links: what they allow, to whom, and for how long."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from services.chassis.settings import SecretFileError
from services.notifier.links import NO_LINKS, LinkError, Links, Permit
from services.notifier.settings import LinkSettings

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
KEY = b"an invented key of thirty-two by"
LINKS = Links(
    dashboard_url="https://nhipso.example.vn/",
    notifier_url="https://nhipso.example.vn/thong-bao",
    key=KEY,
    valid=timedelta(days=30),
)


def token_of(url: str | None) -> str:
    assert url is not None
    return parse_qs(urlsplit(url).query)["token"][0]


def test_lead_to_the_page_of_the_unit() -> None:
    assert LINKS.page("2025:02647") == "https://nhipso.example.vn/areas/2025:02647"
    assert NO_LINKS.page("2025:02647") is None


def test_allow_what_they_were_written_for() -> None:
    url = LINKS.acknowledge("unit:2025:02647", "2025:02647", NOW)
    assert url is not None
    assert url.startswith("https://nhipso.example.vn/thong-bao/acknowledge?token=")
    permit = LINKS.permit(token_of(url), NOW + timedelta(days=29))
    assert permit == Permit("unit:2025:02647", "2025:02647", NOW)


def test_expire() -> None:
    token = token_of(LINKS.acknowledge("unit:2025:02647", "2025:02647", NOW))
    with pytest.raises(LinkError) as refused:
        LINKS.permit(token, NOW + timedelta(days=30, seconds=1))
    assert refused.value.expired


def forged(claims: dict[str, object], key: bytes = KEY, algorithm: str = "HS256") -> str:
    whole = {
        "iss": "nhipso-notifier",
        "aud": "acknowledge",
        "sub": "unit:2025:02647",
        "area": "2025:02647",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
    }
    kept = {name: value for name, value in (whole | claims).items() if value is not None}
    return jwt.encode({"alg": algorithm}, kept, OctKey.import_key(key), algorithms=[algorithm])


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "à",
        forged({}, key=b"another key of thirty-two bytes!"),
        forged({}, algorithm="HS512"),
        forged({"aud": "nhipso"}),
        forged({"iss": "nhipso"}),
        forged({"exp": None}),
        forged({"iat": None}),
        forged({"area": None}),
        forged({"sub": None}),
    ],
)
def test_refuse_what_is_not_theirs(token: str) -> None:
    with pytest.raises(LinkError) as refused:
        LINKS.permit(token, NOW)
    assert not refused.value.expired


def test_without_a_key_nothing_is_written_or_taken() -> None:
    assert NO_LINKS.acknowledge("unit:2025:02647", "2025:02647", NOW) is None
    with pytest.raises(LinkError):
        NO_LINKS.permit(forged({}), NOW)


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "links.key"
    file.write_text("00" * 31, encoding="ascii")
    settings = LinkSettings(notifier_url="https://nhipso.example.vn", key_file=file)
    with pytest.raises(SecretFileError, match="shorter than 32 bytes"):
        Links.from_settings(settings)
    file.write_text("00" * 32, encoding="ascii")
    assert Links.from_settings(settings).acknowledge("operators", "2025:15", NOW) is not None


def test_an_address_and_a_key_go_together() -> None:
    with pytest.raises(ValueError, match="go together"):
        LinkSettings(notifier_url="https://nhipso.example.vn")
