"""Puts records on a topic by Apache Kafka's own producer, in one codec after the other.

Started as `python -m tests.debezium.produce BOOTSTRAP TOPIC CODEC…`; the values are the lines of the
standard input, sent once in each codec, with the codec's name in place of `CODEC`.
"""

import os
import sys

import jpype

from tests.debezium.engine import producer_of, start_java


def produce(bootstrap: str, topic: str, codecs: list[str], lines: list[str]) -> None:
    """Send all lines in all codecs."""
    start_java()
    record = jpype.JClass("org.apache.kafka.clients.producer.ProducerRecord")
    for codec in codecs:
        config = {"bootstrap.servers": bootstrap, "compression.type": codec, "linger.ms": "50"}
        producer = producer_of(config)
        for line in lines:
            value = jpype.JString(line.replace("CODEC", codec)).getBytes("UTF-8")
            producer.send(record(topic, value))
        producer.close()


if __name__ == "__main__":
    produce(sys.argv[1], sys.argv[2], sys.argv[3:], sys.stdin.read().splitlines())
    os._exit(0)
