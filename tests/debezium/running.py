"""The engine as a process of its own, which a test starts, kills and starts again."""

import json
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class Engine:
    """Debezium on one schema of a database, writing to one topic.

    Its place in the log is kept in `folder`, so that a second process goes on from there.
    """

    folder: Path
    database: str
    schema: str
    bootstrap: str
    topic: str
    with_schema: bool
    unwrapped: bool = False
    name: str = field(default_factory=lambda: f"nhipso_{secrets.token_hex(6)}")
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it takes a snapshot the first time."""
        settings = self.folder / f"{self.name}.json"
        settings.write_text(json.dumps(self._settings()), encoding="utf-8")
        command = [sys.executable, "-m", "tests.debezium.engine", str(settings)]
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self) -> None:
        """Kill it, if it runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _settings(self) -> dict[str, object]:
        server = urlsplit(self.database)
        offsets = "org.apache.kafka.connect.storage.FileOffsetBackingStore"
        engine = {
            "name": self.name,
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "offset.storage": offsets,
            "offset.storage.file.filename": str(self.folder / f"{self.name}.offsets"),
            "offset.flush.interval.ms": "0",
            "database.hostname": server.hostname,
            "database.port": str(server.port),
            "database.user": server.username,
            "database.password": server.password,
            "database.dbname": server.path.lstrip("/"),
            "topic.prefix": self.name,
            "plugin.name": "pgoutput",
            "slot.name": self.name,
            "publication.name": self.name,
            "publication.autocreate.mode": "filtered",
            "schema.include.list": self.schema,
            # What a source may have switched on beside what is needed.
            "heartbeat.interval.ms": "500",
            "provide.transaction.metadata": "true",
            "skipped.operations": "none",
            "converter.schemas.enable": str(self.with_schema).lower(),
            "transforms": "unwrap,inbox" if self.unwrapped else "inbox",
            "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
            "transforms.unwrap.delete.tombstone.handling.mode": "rewrite-with-tombstone",
            "transforms.unwrap.add.fields": "op,table,lsn,source.ts_ms",
            "transforms.inbox.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.inbox.regex": ".*",
            "transforms.inbox.replacement": self.topic,
        }
        producer = {"bootstrap.servers": self.bootstrap, "compression.type": "zstd"}
        return {"engine": engine, "producer": producer}
