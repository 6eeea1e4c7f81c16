"""Where the line of a bench is drawn."""

from services.scoring.bench_topics import Extent

EXTENT = Extent({0: 10, 1: 0, 2: 5}, {0: 110, 1: 33, 2: 5})


def test_each_partition_gives_its_part_and_all_parts_are_what_was_asked() -> None:
    assert EXTENT.records == 133
    for records in range(134):
        line = EXTENT.line(records)
        taken = {partition: line[partition] - EXTENT.begins[partition] for partition in line}
        assert sum(taken.values()) == records
        for partition, count in taken.items():
            held = EXTENT.ends[partition] - EXTENT.begins[partition]
            assert 0 <= count <= held
            assert abs(count - records * held / 133) < 2
