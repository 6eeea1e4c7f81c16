"""Ingest as a process of its own: settings from the environment, an orderly end."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from deploy.embedded.ports import free_port
from tests.contract.ingest.service import Keys


def environment(
    keys: Keys, bootstrap: str, port: int, database: str = "postgresql://127.0.0.1:1/none"
) -> dict[str, str]:
    return os.environ | {
        "NHIPSO_HTTP__PORT": str(port),
        "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "NHIPSO_TOKENS__JWKS_FILE": str(keys.folder / "jwks.json"),
        "NHIPSO_PSEUDONYM__KEY_FILE": str(keys.folder / "pseudonym.key"),
        "NHIPSO_REJECTIONS__KEY_FILE": str(keys.folder / "rejections.jwk"),
        "NHIPSO_POSTGRES__DSN": database,
    }


def start(env: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "services.ingest"]
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)


def test_it_starts_from_the_environment_and_ends_on_sigterm(
    kafka: str, database: str, tmp_path: Path
) -> None:
    keys = Keys(tmp_path)
    keys.write()
    port = free_port()
    process = start(environment(keys, kafka, port, database))
    try:
        deadline = time.monotonic() + 60
        while not _ready(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode in (0, -signal.SIGTERM)
    assert [line for line in log.splitlines() if json.loads(line)["level"] == "error"] == []


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def test_what_is_missing_is_named_by_its_variable(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    keys.write()
    env = environment(keys, "127.0.0.1:1", 0)
    del env["NHIPSO_PSEUDONYM__KEY_FILE"]
    _, log = (process := start(env)).communicate(timeout=30)
    assert process.returncode == 2
    assert "NHIPSO_PSEUDONYM__KEY_FILE" in log


def test_a_key_of_the_wrong_kind_is_named_by_its_file(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    keys.write()
    (tmp_path / "rejections.jwk").write_text("00ff")
    _, log = (process := start(environment(keys, "127.0.0.1:1", 0))).communicate(timeout=30)
    assert process.returncode == 2
    assert "rejections.jwk" in log
    assert "Traceback" not in log
