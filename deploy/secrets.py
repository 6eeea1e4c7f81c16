"""Makes the secret files of docker-compose.yml: `python -m deploy.secrets FOLDER`.

What is there stays as it is: another pseudonym key would make strangers of all citizens. To renew
a file, remove it and run the command again. Nothing secret is printed.
"""

import argparse
import json
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from contracts import areas
from contracts.sources import SOURCE_PREFIX
from contracts.times import local_day
from deploy.embedded.errors import StackError
from deploy.embedded.secret_files import SecretFiles, write_private
from deploy.embedded.tokens import SigningKey, local_callers

POSTGRES_SERVER: Final = "postgres:5432"
"""The database as the services of the file see it."""

RECEIVERS: Final = """\
# Who is told of which unit's indicators; docs/howto/run-with-docker.md.
#   - area: "2025:15"
#     email: van-phong@example.vn
#   - group: chuyen-doi-so # what routes send there; `title` is whom its letters are addressed to
#     title: {vi: Sở Khoa học và Công nghệ, en: Department of Science and Technology}
#     email: so-khcn@example.vn
receivers: []
"""

# Compose mounts a file with the owner and mode it has, and each container runs as a user of its
# own. So what is mounted is readable by all, in a folder that is closed to all but the owner.
_FOLDER_MODE: Final = 0o700
_MOUNTED_MODE: Final = 0o644
_OWN_MODE: Final = 0o600


def write(folder: Path, now: datetime, areas_folder: Path | None = None) -> None:
    """Write the files that are missing; see the how-to for what each is.

    Tokens are issued for the local sources, the operator, the leader and each unit of today or to
    come (of `areas_folder`, else of those that ship), valid for a year from `now`.

    Raises:
        OSError: the folder cannot be written.
        StackError, ValueError: a key in it, or the units, cannot be read.
    """
    unit_ids = areas.load(areas_folder).lasting(local_day(now))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(_FOLDER_MODE)
    files = SecretFiles(folder)
    trusted = _keys(files.jwks)
    signing_key = files.make()
    _trust_still(files.jwks, trusted)
    password = secrets.token_hex(24)
    _once(files.postgres_dsn, lambda: f"postgresql://nhipso:{password}@{POSTGRES_SERVER}/nhipso")
    _once(folder / "receivers.yaml", lambda: RECEIVERS)
    _once(folder / "smtp_password", lambda: "")
    _issue(signing_key, unit_ids, folder / "tokens", files.dashboard_token, now)
    for file in folder.iterdir():
        if file.is_file():
            file.chmod(_OWN_MODE if file == files.signing_key else _MOUNTED_MODE)


def token_file(caller: str) -> str:
    """Return the name of the file that holds a caller's token.

    A source goes by its last part (`vneid.jwt`), a unit by its id with hyphens.
    """
    return f"{caller.removeprefix(SOURCE_PREFIX).replace(':', '-')}.jwt"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the files; return 0, or 1 after a line that says what is in the way."""
    parser = argparse.ArgumentParser(prog="python -m deploy.secrets", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the files go; made if it is absent")
    parser.add_argument(
        "--areas", type=Path, help="holds areas.csv and area_lineage.csv of the services"
    )
    given = parser.parse_args(arguments)
    folder: Path = given.folder
    try:
        write(folder, datetime.now(UTC), given.areas)
    except OSError as error:
        print(  # noqa: T201
            f"{folder} cannot be written: {error.strerror}; make it yourself (mkdir -m 700) "
            "and run this as its owner",
            file=sys.stderr,
        )
        return 1
    except (StackError, ValueError, KeyError) as error:
        print(f"{folder}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"The secrets are in {folder}, the tokens to hand out in {folder / 'tokens'}.")  # noqa: T201
    return 0


def _keys(jwks: Path) -> list[dict[str, Any]]:
    """Return the public keys that a JWKS file lists; none if it is not there."""
    if not jwks.exists():
        return []
    keys: list[dict[str, Any]] = json.loads(jwks.read_text(encoding="utf-8"))["keys"]
    return keys


def _trust_still(jwks: Path, keys: list[dict[str, Any]]) -> None:
    """Put keys back into the file: those of an identity provider, or of a rotation."""
    known = _keys(jwks)
    added = [key for key in keys if key not in known]
    if added:
        write_private(jwks, json.dumps({"keys": [*known, *added]}))


def _issue(
    key: SigningKey, unit_ids: Sequence[str], folder: Path, dashboard: Path, now: datetime
) -> None:
    folder.mkdir(exist_ok=True)
    folder.chmod(_FOLDER_MODE)
    for caller, claims in local_callers(unit_ids).items():
        token = folder / token_file(caller)
        _once(token, partial(key.issue, claims, now))
    _once(dashboard, lambda: key.issue({"sub": "dashboard", "role": "leader"}, now))


def _once(path: Path, content: Callable[[], str]) -> None:
    if not path.exists():
        write_private(path, content())


if __name__ == "__main__":
    raise SystemExit(main())
