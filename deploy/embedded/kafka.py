"""One Kafka node (KRaft: broker and controller in one process) on loopback."""

import base64
import os
import shutil
import signal
import socket
import struct
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from deploy.embedded import jars, program
from deploy.embedded.child import Child, open_log
from deploy.embedded.errors import StackError
from deploy.embedded.java import find_java
from deploy.embedded.ports import LOOPBACK

STOP_GRACE_SECONDS = 30.0

# One node holds every replica, so what it acknowledged is on the disk within a second.
# The session of a broker that was killed must end before its successor may register: 9 seconds by
# default, too long for a program that is back in two.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
inter.broker.listener.name=BROKER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=log
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=12
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=12
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
log.flush.interval.ms=1000
log.cleaner.dedupe.buffer.size=33554432
"""

_LOGGING = """\
<Configuration status="ERROR" shutdownHook="disable">
  <Properties><Property name="directory">{directory}</Property></Properties>
  <Appenders>
    <RollingFile name="file" fileName="${{directory}}/kafka-server.log"
                 filePattern="${{directory}}/kafka-server.log.%i">
      <PatternLayout pattern="%d{{ISO8601}} %p %c{{1}} %m%n"/>
      <Policies><SizeBasedTriggeringPolicy size="10MB"/></Policies>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Logger name="kafka.server.KafkaRaftServer" level="INFO"/>
    <Logger name="kafka.server.BrokerServer" level="INFO"/>
    <Root level="WARN"><AppenderRef ref="file"/></Root>
  </Loggers>
</Configuration>
"""


class Kafka:
    """A Kafka broker whose data, configuration and logs lie in one directory.

    `start` may also be taken apart (`deploy.embedded.program.start_together`), to start several
    programs at the same time. The process belongs to the thread that starts it.
    """

    name = "kafka"

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        controller_port: int,
        heap: str = "1g",
        log_directory: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Say where and how; nothing is started.

        Args:
            directory: holds data and configuration; made if absent.
            port: where clients connect.
            controller_port: where the node's controller listens.
            heap: the JVM's `-Xmx`.
            log_directory: where `kafka.log` goes; `directory` unless told.
            settings: the broker's properties that replace or join ours.
        """
        self.directory = directory.resolve()
        self.port = port
        self._controller_port = controller_port
        self._logs = (log_directory or directory).resolve()
        self._heap = heap
        self._settings = dict(settings or {})
        self.child = Child(
            name=self.name,
            argv=(),
            log=self._logs / "kafka.log",
            # Its paths are told from here: a properties file takes no letter beyond Latin-1.
            cwd=self.directory,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stop_signal=signal.SIGTERM,
        )

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The broker's process id."""
        return self.child.pid

    def prepare(self) -> None:
        """Write the configuration; on the first start also format the storage.

        Raises:
            StackError: Java or Kafka's jars are missing, or formatting failed.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        ours = _PROPERTIES.format(
            host=LOOPBACK, port=self.port, controller_port=self._controller_port
        )
        # Of a property that stands twice Kafka takes the last.
        others = "".join(f"{name}={value}\n" for name, value in self._settings.items())
        (self.directory / "server.properties").write_text(ours + others, encoding="ascii")
        logs = os.path.relpath(self._logs, self.directory)
        (self.directory / "log4j2.xml").write_text(
            _LOGGING.format(directory=escape(logs)), encoding="utf-8"
        )
        java = [
            str(find_java()),
            # Two cores and a small heap: the collector with the least work of its own.
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-Xms256m",
            f"-Xmx{self._heap}",
            "-Djava.awt.headless=true",
            "-Dlog4j2.configurationFile=log4j2.xml",
            "-cp",
            os.pathsep.join(map(str, jars.KAFKA.classpath())),
        ]
        self._format([*java, "kafka.tools.StorageTool"])
        self.child.argv = [*java, "kafka.Kafka", "server.properties"]

    def before_start(self) -> None:
        """Nothing is in the way of a new process: the lock of a dead one is gone with it."""

    def start(self) -> None:
        """Start the broker; return before it serves.

        Raises:
            StackError: Java or Kafka's jars are missing, or the storage cannot be formatted.
        """
        self.prepare()
        self.child.start()

    def is_ready(self) -> bool:
        """Tell whether the broker answers and counts itself among the brokers that serve."""
        return _brokers(self.port) > 0

    def wait_ready(self, timeout: float = 60) -> None:
        """Wait until clients are served.

        Raises:
            StackError: the broker ended or was not ready in time.
        """
        program.wait_ready(self, timeout)

    def stop(self, grace: float = STOP_GRACE_SECONDS) -> bool:
        """Stop the broker cleanly, by force after `grace` seconds; tell whether it went by itself."""
        return self.child.stop(grace)

    def _format(self, tool: list[str]) -> None:
        """Give the storage its identity, once.

        `meta.properties` is the last file the tool writes; storage without it was left half made
        and holds nothing yet.
        """
        storage = self.directory / "log"
        if (storage / "meta.properties").exists():
            return
        shutil.rmtree(storage, ignore_errors=True)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        argv = [*tool, "format", f"--cluster-id={cluster}", "--config=server.properties"]
        with open_log(self.child.log) as log:
            done = subprocess.run(
                argv,
                stdout=log,
                stderr=log,
                cwd=self.child.cwd,
                env=self.child.env,
                # Control-C in the terminal is for the stack, which waits until this is done.
                start_new_session=True,
                check=False,
            )
        if done.returncode != 0:
            raise StackError(
                f"Kafka's storage in {storage} cannot be formatted; its log is "
                f"{self.child.log}, which ends:\n{self.child.last_lines()}"
            )


def _brokers(port: int) -> int:
    """Ask the broker on this port how many brokers it knows; 0 if it does not answer.

    A Metadata request, version 1, without topics (Kafka protocol guide). A broker lists only those
    that are not fenced, so the answer is more than an open port: it is fit to serve.
    """
    client = b"nhipso"
    body = struct.pack(">hhih", 3, 1, 1, len(client)) + client + struct.pack(">i", 0)
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            answer = connection.recv(12, socket.MSG_WAITALL)
    except OSError:
        return 0
    if len(answer) < 12:
        return 0
    brokers: int = struct.unpack(">iii", answer)[2]
    return brokers
