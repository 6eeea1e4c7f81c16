"""deploy/province: a province's own files reach the services without a change of the Compose file."""

import re
from pathlib import Path
from typing import Final

from tests.contract.compose import reading

README: Final = (reading.ROOT / "deploy/province/README.md").read_text(encoding="utf-8")
FOLDER: Final = "./deploy/province"
#: Of each row: what it is called here, what to begin with, and the line of .env.
ROWS: Final = [
    [re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:5]]
    for line in README.splitlines()
    if line.startswith("| `")
]


def settings() -> dict[str, str]:
    """The lines of .env that the page names."""
    return dict(line.split("=") for row in ROWS for line in row[3])


def test_what_the_page_tells_to_begin_with_is_there() -> None:
    for _, _, beginnings, _ in ROWS:
        assert beginnings
        for name in beginnings:
            assert list(reading.ROOT.glob(name)), name


def test_each_line_leads_to_where_the_file_is_put() -> None:
    for (here,), _, _, (line,) in ROWS:
        _, _, value = line.partition("=")
        assert value in {f"/province/{here}", f"{FOLDER}/{here.rstrip('/')}"}


def test_the_example_of_settings_has_each_line() -> None:
    example = reading.env_file(commented=True)
    for name, value in settings().items():
        assert name in example
        if value.startswith("/province/"):
            assert example[name] == value
            # As delivered there are no own files, and what ships is read.
            assert name not in reading.env_file()


def test_the_services_that_read_them_see_them_and_may_not_write() -> None:
    env = {**reading.env_file(), **settings()}
    services = reading.ours(reading.resolved(env))
    for service in services.values():
        own = [one for one in service.get("volumes", ()) if one.startswith(FOLDER)]
        assert all(one.endswith(":ro") for one in own)
        for name, value in service["environment"].items():
            if value.startswith("/province/"):
                assert f"{FOLDER}:/province:ro" in own, name
    told = services["notifier"]["environment"]
    files = {name: value for name, value in settings().items() if value.startswith("/province/")}
    assert len(files) == 4
    assert files.items() <= told.items()
    seen = {name: set(reading.folders(service)) for name, service in services.items()}
    assert seen["notifier"] == {"/areas", "/catalogue", "/province"}
    assert seen["scoring"] == {"/areas", "/catalogue"}
    assert seen["ingest"] == {"/areas", "/catalogue", "/connectors", "/reporting"}


def test_another_folder_is_named_in_the_settings_alone() -> None:
    env = {**reading.env_file(), "NHIPSO_PROVINCE_DIR": "/srv/province"}
    notifier = reading.resolved(env)["services"]["notifier"]
    assert reading.folders(notifier)["/province"] == Path("/srv/province")


def test_own_files_reach_neither_an_image_nor_a_commit() -> None:
    # In both files the last line that fits decides.
    images = (reading.ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert images.index("deploy/province/") > images.index("!deploy/")
    commits = (reading.ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = commits.index("/deploy/province/*")
    assert commits.index("!/deploy/province/README.md") > ignored
