import json
from pathlib import Path

import pytest

from deploy.embedded.errors import StackError
from deploy.embedded.secret_files import SecretFiles
from services.chassis.settings import read_secret


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    secrets = SecretFiles(tmp_path / "secrets")
    secrets.make()
    before = {file: file.read_bytes() for file in secrets.directory.iterdir()}

    secrets.make()

    assert {file: file.read_bytes() for file in secrets.directory.iterdir()} == before


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    secrets = SecretFiles(tmp_path / "secrets")
    secrets.make()
    assert secrets.directory.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in secrets.directory.iterdir()} == {0o600}


def test_keys_have_the_form_that_services_read(tmp_path: Path) -> None:
    secrets = SecretFiles(tmp_path)
    secrets.make()
    assert len(read_secret(secrets.pseudonym_key)) == 32
    assert len(read_secret(secrets.links_key)) == 32
    assert "d" in json.loads(secrets.rejections_private.read_text())
    assert "d" not in json.loads(secrets.rejections_public.read_text())


def test_a_damaged_key_is_told_and_not_replaced(tmp_path: Path) -> None:
    secrets = SecretFiles(tmp_path)
    secrets.make()
    secrets.signing_key.write_text("{}")
    with pytest.raises(StackError, match="put them back"):
        secrets.make()
    assert secrets.signing_key.read_text() == "{}"
