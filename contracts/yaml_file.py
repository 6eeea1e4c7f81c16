"""A YAML file as a checked value; who wrote the file is told of every fault and its place."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Form = TypeVar("Form", bound=BaseModel)

_MOST: Final = 20

#: What to do, for what is said in words of the program that reads.
_ADVICE: Final = {
    "extra_forbidden": "there is no such key here; check how it is spelt and where it stands",
    "missing": "is missing, and must be there",
    "invalid_key": 'is a number; write the key in quotes, such as "2030"',
    "model_type": "want a mapping, `key: value`",
    "dict_type": "want a mapping, `key: value`",
    "list_type": "want a list, such as [one, another]",
    "tuple_type": "want a list, such as [one, another]",
    "frozen_set_type": "want a list, such as [one, another]",
    "too_short": "want one entry or more",
}

_BOOLEAN: Final = "tag:yaml.org,2002:bool"
_MERGE: Final = "tag:yaml.org,2002:merge"


def read(path: Path, form: type[Form], error: type[Exception], *, name: str | None = None) -> Form:
    """Read a file and check its form.

    Args:
        path: the file.
        form: what it holds.
        error: what is raised.
        name: what messages call the file; without it, its path.

    Raises:
        error: the file cannot be read, or entries of it are wrong; with their places.
    """
    name = str(path) if name is None else name
    try:
        return form.model_validate(parse(path, error, name=name))
    except ValidationError as wrong:
        raise error(f"{name}: {faults(wrong)}") from None


def parse(path: Path, error: type[Exception], *, name: str | None = None) -> Any:
    """Read a file whatever it holds.

    Args:
        path: the file.
        error: what is raised.
        name: what messages call the file; without it, its path.

    Raises:
        error: there is no such file, it may not be read, or it is no YAML in UTF-8.
    """
    name = str(path) if name is None else name
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except OSError as wrong:
        raise error(
            f"{name} cannot be read: {wrong.strerror}; check the path and that it may be read"
        ) from None
    except (UnicodeDecodeError, yaml.YAMLError) as wrong:
        raise error(f"{name} cannot be read: it is no YAML in UTF-8: {_where(wrong)}") from None


def faults(error: ValidationError, *above: str) -> str:
    """What is wrong, each with its place below `above`; without the input: it may be a secret."""
    found = error.errors(include_url=False, include_input=False)
    places = [".".join(map(str, (*above, *one["loc"]))) for one in found]
    told = [_ADVICE.get(one["type"], one["msg"].removeprefix("Value error, ")) for one in found]
    said = [
        f"{place}: {what}" if place else what for place, what in zip(places, told, strict=True)
    ][:_MOST]
    if len(found) > _MOST:
        said.append(f"and {len(found) - _MOST} more faults")
    return "; ".join(said)


class _Loader(yaml.SafeLoader):
    """Reads booleans as YAML 1.2 does, and refuses what YAML would pass over in silence.

    `on`, `off`, `yes` and `no` are the words that they are. A key that stands twice in one mapping is
    refused, where the last would be kept, and a day that no calendar has is refused with its place.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the class above has it
        first: [one for one in known if first in "tTfF" or one[0] != _BOOLEAN]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:
            raise _wrong(str(error), node) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        written = [key for key, _ in node.value if key.tag != _MERGE]
        keys = [self.construct_object(key, deep=True) for key in written]
        for key in keys:
            if keys.count(key) > 1:
                raise _wrong(f"the key {key!r} stands twice", node)
        return super().construct_mapping(node, deep=deep)


def _wrong(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _where(error: UnicodeDecodeError | yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    mark = error.problem_mark
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
