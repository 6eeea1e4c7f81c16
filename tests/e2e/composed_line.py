"""Starts the services as docker-compose.yml says, as processes of this machine.

What Docker would provide is mapped and nothing else: files below /run/secrets lie in a folder,
folders of the checkout that a service sees are those of the checkout, the names of hosts become addresses on loopback, the container's port is a free one. Command,
environment, order and health checks are the file's (and the Dockerfile's) own.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

from deploy.embedded.ports import LOOPBACK, free_port
from tests.contract.compose import reading

START_SECONDS: Final = 90
STOP_SECONDS: Final = 30


def _below(folders: Mapping[str, Path], text: str) -> str:
    """A path in a folder that a service sees, as the folder of the checkout."""
    for inside, path in folders.items():
        if text == inside or text.startswith(f"{inside}/"):
            return f"{path}{text.removeprefix(inside)}"
    return text


class ComposedLine:
    """The services of ours, once they run: where each listens."""

    def __init__(self, content: Mapping[str, Any], secrets: Path, logs: Path) -> None:
        self.services = reading.ours(content)
        self.ports = {name: free_port() for name in self.services}
        self._image = reading.image_environment()
        self._inside_port = self._image["NHIPSO_HTTP__PORT"]
        self._secrets = secrets
        self._logs = logs
        self._hosts = {
            f"{name}:{self._inside_port}": f"{LOOPBACK}:{port}" for name, port in self.ports.items()
        }

    def url(self, service: str) -> str:
        """Return the address that the published port stands for."""
        return f"http://{LOOPBACK}:{self.ports[service]}"

    def hosts(self, **addresses: str) -> None:
        """Say which address stands for a host and port of the file."""
        self._hosts |= {name.replace("_", ":"): address for name, address in addresses.items()}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start the services, each after those it depends on are healthy; stop them afterwards."""
        graph = {
            name: set(service["depends_on"]) & set(self.services)
            for name, service in self.services.items()
        }
        with ExitStack() as started:
            for name in TopologicalSorter(graph).static_order():
                process = started.enter_context(self._process(name))
                self._wait_healthy(name, process)
            yield

    def log(self, name: str) -> str:
        """Return what a service has logged."""
        return (self._logs / f"{name}.log").read_text(encoding="utf-8")

    def environment(self, name: str) -> dict[str, str]:
        """Return a service's environment: the image's, the file's over it, mapped."""
        service = self.services[name]
        given = {
            **self._image,
            "SERVICE": service["build"]["args"]["SERVICE"],
            **service["environment"],
        }
        folders = reading.folders(service)
        mapped = {
            variable: self.mapped(_below(folders, value)) for variable, value in given.items()
        }
        return {
            **mapped,
            # The image's folder of programs is this environment's.
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.defpath)),
            "NHIPSO_HTTP__HOST": LOOPBACK,
            "NHIPSO_HTTP__PORT": str(self.ports[name]),
        }

    def mapped(self, text: str) -> str:
        """Return a text of the file as it is to read on this machine."""
        if text.startswith(reading.SECRETS_FOLDER):
            return str(self._secrets / text.removeprefix(reading.SECRETS_FOLDER))
        for host, address in self._hosts.items():
            text = text.replace(host, address)
        return text

    @contextmanager
    def _process(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self._logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                self._command(name),
                env=self.environment(name),
                cwd=self._logs,  # like the image's, a folder without the sources
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def _command(self, name: str) -> list[str]:
        """Return the entry's command, or else the image's."""
        if "command" in self.services[name]:
            command: list[str] = self.services[name]["command"]
            return command
        (command,) = (json.loads(rest) for word, rest in reading.dockerfile() if word == "CMD")
        return command

    def _wait_healthy(self, name: str, process: subprocess.Popen[bytes]) -> None:
        kind, *command = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        inside = f"{LOOPBACK}:{self._inside_port}"
        command = [word.replace(inside, f"{LOOPBACK}:{self.ports[name]}") for word in command]
        deadline = time.monotonic() + START_SECONDS
        while True:
            check = subprocess.run(
                command, env=self.environment(name), capture_output=True, text=True, check=False
            )
            if check.returncode == 0:
                return
            assert process.poll() is None, f"{name} ended:\n{self.log(name)}"
            assert time.monotonic() < deadline, f"{name}: {check.stderr}\n{self.log(name)}"
            time.sleep(0.3)
