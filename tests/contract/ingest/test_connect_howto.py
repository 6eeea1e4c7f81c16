"""docs/howto/connect-a-source.md does what it says: its programs run, as they stand there."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.subjects import SubjectKind
from contracts.topics import SUBJECT_EVENTS
from services.ingest.connectors import configuration
from services.ingest.connectors.table import KINDS
from services.ingest.core.pseudonyms import Pseudonymiser
from tests.contract.ingest.service import Ingest, Topic, tail
from tests.fakes.http_stack import Answer, FakeStack, Request, accept_all, fake_stack

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/howto/connect-a-source.md").read_text(encoding="utf-8")
SOURCE = "urn:nhipso:source:hospital"

#: Language → the file it is saved as, and the program that runs it.
PROGRAMS = {
    "python": ("send.py", sys.executable),
    "javascript": ("send.mjs", "node"),
    "java": ("Send.java", "java"),
}
CITIZENS = {
    "python": ("000123456790", "000123456791"),
    "javascript": ("000123456792", "000123456793"),
    "java": ("000123456794", "000123456795"),
}


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found


async def run(folder: Path, url: str, token: str, *command: str) -> tuple[int, str, str]:
    environment = os.environ | {
        "NHIPSO_INGEST": url,
        "NHIPSO_TOKEN": token,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def run_program(folder: Path, language: str, url: str, token: str) -> tuple[int, str, str]:
    name, program = PROGRAMS[language]
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    if language == "java" and shutil.which("javac") is None:
        pytest.skip("a Java runtime is here, but no JDK to compile with")
    (folder / name).write_text(blocks(language)[0], encoding="utf-8")
    return await run(folder, url, token, found, name)


@pytest.fixture
def token(ingest: Ingest) -> str:
    return ingest.keys.token(sub=SOURCE, sources=[SOURCE], domains=["health"])


@pytest.fixture
async def heard(ingest: Ingest, kafka: str) -> AsyncIterator[Topic]:
    async with tail(SUBJECT_EVENTS, kafka) as topic:
        yield topic


async def taken(topic: Topic, count: int) -> list[Any]:
    return [json.loads(record.value or b"") for record in await topic.take(count)]


def pseudonyms(ingest: Ingest, *citizens: str) -> set[str]:
    pseudonymiser = Pseudonymiser(ingest.keys.pseudonym)
    return {pseudonymiser.inside(SubjectKind.CITIZEN, citizen) for citizen in citizens}


async def test_curl_sends_the_first_event(
    ingest: Ingest, token: str, heard: Topic, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    code, out, err = await run(tmp_path, ingest.url, token, "sh", "-euc", blocks("sh")[0])
    assert (code, err) == (0, "")
    assert out == '{"accepted":1,"rejected":[]}'
    assert out in PAGE
    (event,) = await taken(heard, 1)
    assert event["source"] == SOURCE


@pytest.mark.parametrize("language", PROGRAMS)
async def test_programs_send_their_events(
    ingest: Ingest, token: str, heard: Topic, tmp_path: Path, *, language: str
) -> None:
    code, out, err = await run_program(tmp_path, language, ingest.url, token)
    assert (code, err) == (0, "")
    assert re.search(r'2 accepted|202 \{"accepted":2,', out), out
    events = await taken(heard, 2)
    assert {event["subject"] for event in events} == pseudonyms(ingest, *CITIZENS[language])
    assert {event["data"]["active"] for event in events} == {True, False}


@pytest.mark.parametrize("language", PROGRAMS)
async def test_programs_tell_what_was_refused(
    ingest: Ingest, tmp_path: Path, language: str
) -> None:
    token = ingest.keys.token(sources=[SOURCE], domains=["payment"])
    code, out, err = await run_program(tmp_path, language, ingest.url, token)
    assert code == 0
    assert "source-not-allowed" in out + err


@pytest.mark.parametrize("language", PROGRAMS)
async def test_programs_stop_at_a_token_that_is_not_taken(
    ingest: Ingest, tmp_path: Path, language: str
) -> None:
    code, out, err = await run_program(tmp_path, language, ingest.url, "wrong")
    assert code != 0
    assert "401" in out + err


@pytest.fixture
def busy() -> Any:
    """An ingest that is busy once, and once has no broker."""
    left = [429, 503]

    def answer(request: Request) -> Answer:
        if left:
            return Answer(left.pop(0), {"title": "later"}, {"Retry-After": "0"})
        return accept_all(request)

    with fake_stack(**{"/v1/events": answer}) as stack:
        yield stack


@pytest.mark.parametrize("language", PROGRAMS)
async def test_programs_send_the_same_again_when_they_are_told_to(
    busy: FakeStack, tmp_path: Path, language: str
) -> None:
    code, out, err = await run_program(tmp_path, language, busy.url, "token")
    assert (code, err) == (0, "")
    assert "2" in out
    assert len(busy.requests) == 3
    assert len({request.body for request in busy.requests}) == 1


async def test_the_file_of_the_page_is_valid_and_is_taken(
    ingest: Ingest, token: str, heard: Topic, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (tmp_path / "records.csv").write_text(blocks("csv")[0], encoding="utf-8")
    code, out, err = await run(tmp_path, ingest.url, token, "sh", "-euc", blocks("sh")[1])
    assert (code, err) == (0, "")
    said, answer = out.strip().split("\n")
    assert said == "2 of 2 events fit"
    assert answer == '{"accepted":2,"refused":0,"rejected":[]}'
    assert answer in PAGE
    events = await taken(heard, 2)
    found = pseudonyms(ingest, "000123456796", "000123456797")
    assert {event["subject"] for event in events} == found


def test_the_connectors_of_the_page_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / "connectors.yaml"
    (text,) = blocks("yaml")
    file.write_text(text, encoding="utf-8")
    assert len(configuration.read(file, KINDS)) == len(yaml.safe_load(text)["connectors"])


def test_the_readme_of_files_can_be_used(tmp_path: Path) -> None:
    readme = (ROOT / "services/ingest/connectors/files/README.md").read_text(encoding="utf-8")
    file = tmp_path / "connectors.yaml"
    found = re.findall(r"^```yaml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    file.write_text(found[0], encoding="utf-8")
    assert [one.kind for one in configuration.read(file, KINDS)] == ["files"]
