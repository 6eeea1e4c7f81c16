import socket
from pathlib import Path

import pytest

from contracts import areas
from deploy.embedded.errors import StackError
from deploy.embedded.layout import Layout, Ports, Province
from deploy.embedded.ports import free_port, require_free
from deploy.embedded.services import Service, environment
from deploy.embedded.user_files import write_receivers
from services.chassis.settings import ServiceSettings, load
from services.dashboard.settings import ServiceEnvironment as DashboardEnvironment
from services.ingest.settings import IngestSettings
from services.notifier.receivers import reading
from services.notifier.settings import ServiceEnvironment
from services.scoring.settings import Configuration


def test_ports_are_distinct_and_begin_with_the_dashboard() -> None:
    ports = Ports(8600).all()
    assert ports["dashboard"] == 8600
    assert sorted(ports.values()) == list(range(8600, 8608))


@pytest.mark.parametrize("base", [80, 65530, 70000])
def test_a_base_without_room_is_refused(base: int) -> None:
    with pytest.raises(StackError, match="--port-base"):
        Ports(base)


def test_a_taken_port_is_named_with_its_purpose() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=rf"port {port} \(scoring\) is taken.*--port-base"):
            require_free({"ingest": free_port(), "scoring": port})


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        ("ingest", IngestSettings),
        ("scoring", Configuration),
        ("notifier", ServiceEnvironment),
        ("dashboard", DashboardEnvironment),
    ],
)
def test_each_service_reads_its_settings_from_what_the_stack_gives(
    service: str,
    settings: type[ServiceSettings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment(service, Layout(tmp_path), Ports(8600)).items():
        monkeypatch.setenv(name, value)
    assert load(settings).http.port == Ports(8600).all()[service]


def test_every_unit_and_the_operators_get_mail(tmp_path: Path) -> None:
    file = tmp_path / "receivers.yaml"
    write_receivers(file, ["2025:15", "2025:04252"])
    receivers = reading.read(file, areas.load())
    assert sorted(receivers.audiences) == ["operators", "unit:2025:04252", "unit:2025:15"]
    assert "email:ubnd.2025-15@example.vn" in receivers.by_name


def test_a_receivers_file_that_somebody_changed_stays(tmp_path: Path) -> None:
    file = tmp_path / "receivers.yaml"
    file.write_text("receivers: []\n")
    write_receivers(file, ["2025:15"])
    assert file.read_text() == "receivers: []\n"


def test_the_notifier_has_less_patience_here_than_a_province(tmp_path: Path) -> None:
    def patience(*, demo: bool) -> tuple[str, str]:
        given = Service("notifier", Layout(tmp_path), Ports(8600), demo=demo).child.env or {}
        return given["NHIPSO_NOTIFIER__FOR_SECONDS"], given["NHIPSO_NOTIFIER__QUIET_HOURS"]

    # Letters are not kept for the office hours: they are to be seen at once.
    assert (patience(demo=False), patience(demo=True)) == (("15", "false"), ("180", "false"))


def test_a_patience_that_the_caller_sets_goes_before_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NHIPSO_NOTIFIER__FOR_SECONDS", "3600")
    service = Service("notifier", Layout(tmp_path), Ports(8600), demo=True)
    assert (service.child.env or {})["NHIPSO_NOTIFIER__FOR_SECONDS"] == "3600"


@pytest.mark.parametrize("service", ["ingest", "scoring", "notifier"])
def test_services_are_told_of_a_province_s_own_data(service: str, tmp_path: Path) -> None:
    own = Province(areas=tmp_path / "areas", catalogue=Path("rules"), reporting=tmp_path)
    given = environment(service, Layout(tmp_path), Ports(8600), own)
    assert given["NHIPSO_AREAS__FOLDER"] == str(tmp_path / "areas")
    assert given["NHIPSO_CATALOGUE__FOLDER"] == str(Path.cwd() / "rules")
    assert given["NHIPSO_REPORTING__FOLDER"] == str(tmp_path)
    shipped = environment(service, Layout(tmp_path), Ports(8600))
    assert {"NHIPSO_AREAS__FOLDER", "NHIPSO_CATALOGUE__FOLDER"}.isdisjoint(shipped)
