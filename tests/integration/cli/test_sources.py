"""`nhipso sources` over a real ingest: a source registered here can send at once."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt

from deploy.embedded.layout import Layout
from deploy.embedded.tokens import SigningKey
from services.chassis.settings import TokenSettings
from services.cli import terminal
from services.cli.__main__ import main
from services.ingest.settings import ConnectorSettings
from tests.contract.ingest.service import Ingest, Keys, running, settings_for


class Stack:
    """A data directory as `nhipso up` leaves it, and the ingest that it speaks of."""

    def __init__(self, root: Path, ingest: Ingest, operator: str) -> None:
        self.root = root
        self.ingest = ingest
        self.endpoints = root / "endpoints.json"
        tokens = {"operator": operator}
        self.endpoints.write_text(json.dumps({"ingest": ingest.url, "tokens": tokens}))

    async def run(self, *arguments: str) -> int:
        return await asyncio.to_thread(main, [*arguments, "--endpoints", str(self.endpoints)])


@pytest.fixture
async def stack(
    kafka: str, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Stack]:
    layout = Layout(tmp_path)
    signing = layout.secrets.make()
    keys = Keys(tmp_path / "keys")
    keys.folder.mkdir()
    keys.write()
    settings = settings_for(keys, kafka, database).model_copy(
        update={
            "tokens": TokenSettings(jwks_file=layout.secrets.jwks),
            "connectors": ConnectorSettings(file=_connectors(tmp_path, request)),
        }
    )
    async with running(settings, keys) as ingest:
        yield Stack(tmp_path, ingest, _operator(signing))


def _connectors(folder: Path, request: pytest.FixtureRequest) -> Path | None:
    """The file that a test gives as this fixture's parameter; none without it."""
    text: str | None = getattr(request, "param", None)
    if text is None:
        return None
    file = folder / "connectors.yaml"
    file.write_text(text.replace("FOLDER", str(folder)), encoding="utf-8")
    return file


def _operator(signing: SigningKey) -> str:
    return signing.issue({"sub": "operator", "role": "operator"}, datetime.now(UTC))


def event(source: str, event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": source,
        "type": event_type,
        "subject": "citizen:000123456789",
        "time": "2026-03-01T08:30:00+07:00",
        "data": data,
    }


async def test_a_source_is_added_and_can_send_its_own_domains(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "hospital.token"
    added = ("sources", "add", "hospital", "--domain", "health", "--title", "Bệnh viện số 1")
    assert await stack.run(*added, "--out", str(out)) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    token = out.read_text().strip()
    source = "urn:nhipso:source:hospital"
    fit = event(source, "vn.nhipso.health.record-changed.v1", {"active": True})
    assert (await stack.ingest.post(fit, token=token))[0] == 202
    other = event(source, "vn.nhipso.identity.eid-changed.v1", {"level": 2, "activated": True})
    assert (await stack.ingest.post(other, token=token))[0] == 422

    capsys.readouterr()
    assert await stack.run("sources", "list") == 0
    shown = capsys.readouterr().out
    assert "Bệnh viện số 1" in shown
    assert "2026-03-01 08:30" in shown

    # Again, and as another file would have it.
    assert await stack.run(*added, "--out", str(out)) == 0
    assert await stack.run("sources", "add", "hospital", "--domain", "payment") == 2
    assert "described otherwise" in capsys.readouterr().err
    assert await stack.run("sources", "add", "hospital", "--domain", "payment", "--replace") == 0
    capsys.readouterr()
    assert await stack.run("sources", "token", "hospital", "--days", "1") == 0
    printed = capsys.readouterr().out.strip()
    key = SigningKey.read(Layout(stack.root).secrets.signing_key)
    claims = jwt.decode(printed, key._key, algorithms=["ES256"]).claims
    assert (claims["sub"], claims["domains"]) == (source, ["payment"])
    assert claims["exp"] - claims["iat"] == 24 * 3600


CONNECTORS = """\
connectors:
  - {name: wards, kind: files, source: "urn:nhipso:source:hospital", domains: [health],
     config: {folder: FOLDER}}
  - {name: drop, kind: files, source: "urn:nhipso:source:telecom-operators", domains: [telecom],
     config: {folder: FOLDER}}
"""


@pytest.mark.parametrize("stack", [CONNECTORS], indirect=True)
async def test_what_connectors_read_is_shown_as_that(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "_PLAIN_WIDTH", 100)
    other = "urn:nhipso:source:other"
    signing = SigningKey.read(Layout(stack.root).secrets.signing_key)
    claims = {"sub": "other", "role": "source", "sources": [other], "domains": ["health"]}
    sent = event(other, "vn.nhipso.health.record-changed.v1", {"active": True})
    token = signing.issue(claims, datetime.now(UTC))
    assert (await stack.ingest.post(sent, token=token))[0] == 202

    assert await stack.run("sources", "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    said = [line.split()[:2] for line in lines]
    assert said[said.index(["hospital", "health"]) + 1] == ["connector", "wards"]
    assert said[said.index(["telecom-operators", "telecom"]) + 1] == ["connector", "drop"]
    # Of the other one nobody has said what it is.
    assert [one[0] for one in said if one[1:] == ["not"]] == ["other"]


async def test_without_a_key_the_claims_are_shown(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    Layout(stack.root).secrets.signing_key.unlink()
    added = ("sources", "add", "bank", "--domain", "payment", "--domain", "payment")
    assert await stack.run(*added, "--out", "token") == 2
    assert "--signing-key" in capsys.readouterr().err
    assert await stack.run("sources", "token", "bank") == 2  # nothing was registered
    capsys.readouterr()
    assert await stack.run(*added) == 0
    claims = json.loads(capsys.readouterr().out)
    assert claims == {
        "iss": "nhipso",
        "aud": "nhipso",
        "sub": "urn:nhipso:source:bank",
        "role": "source",
        "sources": ["urn:nhipso:source:bank"],
        "domains": ["payment"],
    }


async def test_what_cannot_be_a_source_or_a_key_is_told(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await stack.run("sources", "add", "bank", "--domain", "wealth") == 2
    wrong = tmp_path / "wrong.jwk"
    wrong.write_text("{}")
    assert (
        await stack.run(
            "sources", "add", "bank", "--domain", "payment", "--signing-key", str(wrong)
        )
        == 2
    )
    assert "is no signing key" in capsys.readouterr().err
    assert await stack.run("sources", "resume", "bank") == 2
    assert "is paused" in capsys.readouterr().err
    assert await stack.run("sources", "list") == 0
    assert "no sources are known" in capsys.readouterr().out
