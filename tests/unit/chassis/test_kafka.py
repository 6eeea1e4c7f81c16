import time

import pytest
from aiokafka.errors import KafkaConnectionError, NotControllerError

from services.chassis import kafka
from services.chassis.settings import KafkaSettings


async def test_a_broker_that_does_not_answer_is_waited_for_but_not_forever(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "START_SECONDS", 1.0)
    settings = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port}")
    started = time.perf_counter()
    with pytest.raises(KafkaConnectionError):
        await kafka.ensure_topics(settings, {"example.v1": {}})
    assert 0.2 < time.perf_counter() - started < 10


@pytest.mark.parametrize("code", [0, 36], ids=["created", "created by another process meanwhile"])
def test_a_topic_that_is_there_is_well(code: int) -> None:
    kafka._check("example.v1", code, None)


def test_what_passes_by_itself_is_told_apart_from_what_does_not() -> None:
    with pytest.raises(NotControllerError):
        kafka._check("example.v1", 41, None)
    with pytest.raises(kafka.TopicError, match=r"refuses topic example\.v1: no such setting"):
        kafka._check("example.v1", 40, "no such setting")
