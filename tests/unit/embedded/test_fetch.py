import os
import ssl
from types import SimpleNamespace

import pytest

from deploy.embedded.fetch import trust_the_machine


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set first, so that it is put back as it was whatever the test does.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "of the caller")


def given(monkeypatch: pytest.MonkeyPatch, cafile: str | None, capath: str | None) -> None:
    """The machine has these certificates, and the caller has said nothing."""
    paths = SimpleNamespace(cafile=cafile, capath=capath)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")


@pytest.mark.parametrize(("cafile", "capath", "found"), [("a", "b", "a"), (None, "b", "b")])
def test_the_machines_certificates_are_believed(
    cafile: str | None, capath: str | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, cafile, capath)
    trust_the_machine()
    assert os.environ["REQUESTS_CA_BUNDLE"] == found


def test_without_any_those_of_the_library_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, None, None)
    trust_the_machine()
    assert "REQUESTS_CA_BUNDLE" not in os.environ


def test_what_the_caller_set_goes_before() -> None:
    trust_the_machine()
    assert os.environ["REQUESTS_CA_BUNDLE"] == "of the caller"
