"""Builds the peer: with Maven if there is one, else with javac and the locked jars."""

import hashlib
import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_CLASSES = HERE / "target" / "classes"
_LIBS = HERE / "libs"
_SOURCE = HERE / "src" / "main" / "java" / "Peer.java"
_LOCK = HERE / "peer.lock.toml"


class PeerError(Exception):
    """The peer cannot be built or run; the message says why, and what to do."""


def build() -> str:
    """Build what is not built yet; returns the class path.

    Raises:
        PeerError: there is no JDK, or the build failed.
    """
    classpath = os.pathsep.join((str(_CLASSES), str(_LIBS / "*")))
    built = _CLASSES / "Peer.class"
    if built.exists() and built.stat().st_mtime > _SOURCE.stat().st_mtime and _has_all_jars():
        return classpath
    if shutil.which("javac") is None:
        raise PeerError(
            "there is no JDK on this machine (no javac), so the peer cannot be built; "
            "install one (Debian, Ubuntu: apt-get install openjdk-17-jdk-headless), "
            "or leave the peer out with --without-peer"
        )
    if shutil.which("mvn") is not None:
        goals = ["package", "dependency:copy-dependencies", "-DoutputDirectory=libs"]
        _run(["mvn", "-q", "-B", *goals])
    else:
        _fetch()
        _run(["javac", "-cp", str(_LIBS / "*"), "-d", str(_CLASSES), str(_SOURCE)])
    return classpath


def _has_all_jars() -> bool:
    return all((_LIBS / f"{jar['artifactId']}-{jar['version']}.jar").exists() for jar in _locked())


def _locked() -> list[dict[str, Any]]:
    locked: list[dict[str, Any]] = tomllib.loads(_LOCK.read_text("utf-8"))["dependencies"]
    return locked


def _fetch() -> None:
    """Fetch the locked jars into the local Maven repository, check them, and copy them here."""
    from jgo.maven import MavenContext  # noqa: PLC0415 - only for machines without Maven

    context = MavenContext(timeout=60)
    _LIBS.mkdir(exist_ok=True)
    for jar in _locked():
        name = f"{jar['artifactId']}-{jar['version']}.jar"
        component = context.project(jar["groupId"], jar["artifactId"]).at_version(jar["version"])
        found = Path(component.artifact(packaging="jar").resolve())
        if hashlib.sha256(found.read_bytes()).hexdigest() != jar["sha256"]:
            raise PeerError(f"{found} is not the jar that {_LOCK.name} names; remove it")
        shutil.copyfile(found, _LIBS / name)


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PeerError(f"{argv[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")
