import sys
from pathlib import Path

import pytest
from jgo.maven import MavenContext

from deploy.embedded import fetch
from deploy.embedded.errors import StackError
from deploy.embedded.jars import KAFKA, Jar


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    KAFKA.share.mkdir(parents=True)
    return KAFKA.share


def test_the_lock_file_names_kafka_4_1_with_checksums() -> None:
    locked = KAFKA.locked()
    assert "kafka_2.13-4.1.0.jar" in {jar.file_name for jar in locked}
    assert all(len(jar.sha256) == 64 for jar in locked)


def test_without_the_jars_the_way_out_is_named(share: Path) -> None:
    with pytest.raises(StackError, match="make setup"):
        KAFKA.classpath()


def test_a_jar_that_is_not_the_locked_one_never_gets_into_place(
    share: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    jar = KAFKA.locked()[0]
    folder = repository / jar.group.replace(".", "/") / jar.artifact / jar.version
    asked = 0

    def download(_: MavenContext, __: Jar) -> Path:
        nonlocal asked
        asked += 1
        folder.mkdir(parents=True, exist_ok=True)
        (folder / jar.file_name).write_bytes(b"not what was locked")
        return folder / jar.file_name

    monkeypatch.setattr(fetch, "_download", download)
    with pytest.raises(StackError, match="does not have the locked SHA-256"):
        fetch._put_into_place(MavenContext(repo_cache=repository), jar, KAFKA)
    assert asked == 3
    assert not list(share.iterdir())
    assert not list(folder.iterdir())
