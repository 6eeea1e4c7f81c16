"""One Dockerfile makes every service's image: small, without root, from the locked dependencies."""

import importlib.util
import json
import re

import pytest

from tests.contract.compose import reading

INSTRUCTIONS = reading.dockerfile()
OURS = reading.ours(reading.resolved(reading.env_file()))


def of(name: str) -> list[str]:
    return [rest for instruction, rest in INSTRUCTIONS if instruction == name]


def last_stage() -> list[tuple[str, str]]:
    last = max(index for index, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM")
    return INSTRUCTIONS[last:]


def sources_of_copies() -> list[str]:
    copies = [rest.split() for rest in of("COPY") if not rest.startswith("--from")]
    return [source for *sources, _ in copies for source in sources]


def test_what_is_copied_is_there_and_reaches_the_builder() -> None:
    lines = (reading.ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    let_in = {line.removeprefix("!").rstrip("/") for line in lines if line.startswith("!")}
    for source in sources_of_copies():
        if not source.endswith("*"):
            assert (reading.ROOT / source).exists(), source
        assert source.rstrip("*") in let_in


def test_dependencies_are_the_locked_ones_without_those_of_development() -> None:
    syncs = [rest for rest in of("RUN") if "uv sync" in rest]
    assert len(syncs) == 2
    for sync in syncs:
        assert {"--locked", "--no-dev", "--no-editable"} <= set(sync.split())
    assert "--no-install-project" in syncs[0]


def test_images_are_pinned() -> None:
    stages = {rest.split()[2] for rest in of("FROM")}
    for rest in of("FROM"):
        image, _, _ = rest.split()
        assert image in stages or re.search(r":\d+\.\d+", image), image


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_is_built_from_its_own_package(name: str) -> None:
    build = OURS[name]["build"]
    assert (reading.ROOT / build["context"] / build["dockerfile"]).samefile(reading.DOCKERFILE)
    assert build["args"]["SERVICE"] == name
    assert set(build["args"]) <= {argument.partition("=")[0] for argument in of("ARG")}
    assert importlib.util.find_spec(f"services.{name}.__main__") is not None


def test_the_container_runs_the_service_of_its_image_without_root() -> None:
    stage = last_stage()
    (user,) = (rest for name, rest in stage if name == "USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert ("ENV", "SERVICE=${SERVICE}") in stage
    (command,) = (json.loads(rest) for name, rest in stage if name == "CMD")
    # The shell puts the name in and is replaced, so that Python is the one that gets signals.
    assert command == ["/bin/sh", "-c", "exec python -m services.${SERVICE}"]


def test_the_image_can_tell_its_health_and_its_origin() -> None:
    stage = dict(last_stage())
    assert "services.chassis.probe" in stage["HEALTHCHECK"]
    for label in ("title", "description", "version", "revision", "licenses"):
        assert f"org.opencontainers.image.{label}=" in stage["LABEL"]
    assert reading.image_environment()["PYTHONUNBUFFERED"] == "1"


def test_no_compiler_and_no_secret_gets_into_a_layer() -> None:
    assert not any("apt-get" in rest for rest in of("RUN"))
    for rest in of("ARG") + of("ENV"):
        assert not re.search(r"PASSWORD|SECRET|TOKEN|_KEY|DSN", rest)
