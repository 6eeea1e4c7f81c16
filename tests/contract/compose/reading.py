"""Reads docker-compose.yml the way Compose does, as far as this project uses it.

Interpolation knows `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$`; anything else with
a dollar sign is an error. Source: Compose specification, "Interpolation".
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
COMPOSE_FILE: Final = ROOT / "docker-compose.yml"
ENV_EXAMPLE: Final = ROOT / ".env.example"
DOCKERFILE: Final = ROOT / "deploy/images/Dockerfile"

SECRETS_FOLDER: Final = "/run/secrets/"
"""Where a container finds its secrets."""

_VARIABLE: Final = re.compile(
    r"\$(?:(?P<escaped>\$)"
    r"|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<operator>:-|:\?)(?P<operand>[^}]*))?\}"
    r"|(?P<wrong>))"
)
_SETTING: Final = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")


class MissingVariableError(Exception):
    """A variable without a default has no value."""


def env_file(*, commented: bool = False) -> dict[str, str]:
    """Return the settings of `.env.example`, with `commented` also those that stand behind a #."""
    settings = {}
    for line in ENV_EXAMPLE.read_text(encoding="utf-8").splitlines():
        found = _SETTING.fullmatch(line.removeprefix("# ") if commented else line)
        assert found or not line.strip() or line.startswith("#"), f"not NAME=value: {line!r}"
        if found:
            settings[found[1]] = found[2]
    return settings


def raw() -> dict[str, Any]:
    """Return the file's content before interpolation, with YAML's merges done."""
    content: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    return content


def resolved(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the file's content with the variables of `env` put in.

    Raises:
        MissingVariableError: a variable that the file demands has no value.
    """
    content: dict[str, Any] = _resolve(raw(), env)
    for service in content["services"].values():
        if "environment" in service:
            service["environment"] = dict(_passed_on(service["environment"], env))
    return content


def folders(service: Mapping[str, Any]) -> dict[str, Path]:
    """Return the folders that a service sees, of this checkout or elsewhere, by where it sees them."""
    volumes = service.get("volumes", ())
    mounts = (volume.split(":") for volume in volumes if volume.startswith(("./", "/")))
    return {inside: ROOT / outside for outside, inside, *_ in mounts}


def ours(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the long-running services that are built here."""
    return {
        name: service
        for name, service in content["services"].items()
        if "build" in service and "profiles" not in service
    }


def lasting(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the services that `docker compose up` starts."""
    return {
        name: service for name, service in content["services"].items() if "profiles" not in service
    }


def variables(node: Any) -> Iterator[tuple[str, str | None]]:
    """Yield each variable that is put in, with its default or None."""
    for text in _texts(node):
        for found in _VARIABLE.finditer(text):
            if found["name"]:
                yield found["name"], found["operand"] if found["operator"] == ":-" else None


def image_environment() -> dict[str, str]:
    """Return the variables that the last stage of the Dockerfile sets, SERVICE left out."""
    instructions = dockerfile()
    last = max(index for index, (name, _) in enumerate(instructions) if name == "FROM")
    found = {}
    for name, rest in instructions[last:]:
        if name == "ENV":
            found.update(dict(re.findall(r"([A-Z0-9_]+)=(\S+)", rest)))
    del found["SERVICE"]
    return found


def dockerfile() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions: name and the rest of its joined lines."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", without_comments)
    instructions = []
    for line in filter(None, joined.splitlines()):
        name, _, rest = line.strip().partition(" ")
        instructions.append((name, rest.strip()))
    return instructions


def _passed_on(
    environment: Mapping[str, str | None], env: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield a service's variables; one without a value is passed on from `env`, or left out."""
    for name, value in environment.items():
        if value is not None:
            yield name, value
        elif name in env:
            yield name, env[name]


def _resolve(node: Any, env: Mapping[str, str]) -> Any:
    match node:
        case dict():
            return {key: _resolve(value, env) for key, value in node.items()}
        case list():
            return [_resolve(item, env) for item in node]
        case str():
            return _VARIABLE.sub(lambda found: _value(found, env), node)
        case _:
            return node


def _value(found: re.Match[str], env: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "$"
    assert found["name"], f"not an interpolation this reader knows: {found.string!r}"
    value = env.get(found["name"], "")
    if value:
        return value
    if found["operator"] == ":-":
        return found["operand"]
    if found["operator"] == ":?":
        raise MissingVariableError(f"{found['name']}: {found['operand']}")
    raise MissingVariableError(found["name"])


def _texts(node: Any) -> Iterator[str]:
    match node:
        case dict():
            for value in node.values():
                yield from _texts(value)
        case list():
            for item in node:
                yield from _texts(item)
        case str():
            yield node
