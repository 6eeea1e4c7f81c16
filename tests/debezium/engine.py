"""Runs the Debezium engine in this process until it is killed, and puts its records on a topic.

Started as `python -m tests.debezium.engine SETTINGS`, where SETTINGS is a JSON file:
`{"engine": {…}, "producer": {…}}`. Engine, connector, transformations, converter and producer are the
real ones of Debezium and Apache Kafka. What they say goes to standard error.

A batch is confirmed to the engine once the broker has it, so that a kill repeats records and loses
none.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import jpype

from deploy.embedded.java import find_java
from tests.debezium.jars import classpath


def start_java() -> None:
    """Start the JVM in this process, with Debezium's jars."""
    home = find_java().resolve().parent.parent
    jpype.startJVM(
        str(next((home / "lib" / "server").glob("libjvm.*"))),
        "-XX:+UseSerialGC",
        "-Xmx256m",
        "--enable-native-access=ALL-UNNAMED",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        classpath=[str(jar) for jar in classpath()],
    )


def producer_of(config: dict[str, str]) -> Any:
    """Apache Kafka's own producer of bytes."""
    serializer = "org.apache.kafka.common.serialization.ByteArraySerializer"
    properties = _properties(
        config | {"key.serializer": serializer, "value.serializer": serializer}
    )
    return jpype.JClass("org.apache.kafka.clients.producer.KafkaProducer")(properties)


def _properties(config: dict[str, str]) -> Any:
    properties = jpype.JClass("java.util.Properties")()
    for name, value in config.items():
        properties.setProperty(name, value)
    return properties


class _ToTopic:
    """Debezium's `ChangeConsumer`."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._record = jpype.JClass("org.apache.kafka.clients.producer.ProducerRecord")

    def handleBatch(self, records: Any, committer: Any) -> None:  # noqa: N802 - Java's name
        sent = [self._producer.send(self._of(change)) for change in records]
        for change, acknowledged in zip(records, sent, strict=True):
            acknowledged.get()
            committer.markProcessed(change)
        committer.markBatchFinished()

    def supportsTombstoneEvents(self) -> bool:  # noqa: N802 - Java's name
        return True

    def _of(self, change: Any) -> Any:
        return self._record(change.destination(), _bytes(change.key()), _bytes(change.value()))


def _bytes(text: Any) -> Any:
    return None if text is None else jpype.JString(text).getBytes("UTF-8")


def run(settings: dict[str, Any]) -> None:
    """Run the engine; it returns when it fails."""
    start_java()
    formats = "io.debezium.engine.format."
    consumer = jpype.JProxy(
        "io.debezium.engine.DebeziumEngine$ChangeConsumer",
        inst=_ToTopic(producer_of(settings["producer"])),
    )
    engine = (
        jpype.JClass("io.debezium.engine.DebeziumEngine")
        .create(jpype.JClass(f"{formats}Json"))
        .using(_properties(settings["engine"]))
        .notifying(consumer)
        .build()
    )
    engine.run()


if __name__ == "__main__":
    run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    # Threads of Java's would keep a process alive whose engine has failed.
    os._exit(1)
