"""Sealed originals: who has the public key can seal, who has the private one can open."""

import json
from pathlib import Path

import pytest
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey

from contracts.rejected import (
    MAX_SEALED_BYTES,
    SealError,
    public_part,
    read_key,
    read_private_key,
    rejection_key,
    seal,
    unseal,
)

KEY = ECKey.generate_key("P-256")


@pytest.mark.parametrize("size", [0, 1, 400, 100_000, MAX_SEALED_BYTES])
def test_what_was_sealed_can_be_opened(size: int) -> None:
    original = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert unseal(KEY, seal(public_part(KEY), original)) == original


def test_the_rest_of_a_very_long_original_is_cut() -> None:
    sealed = seal(KEY, b"x" * (MAX_SEALED_BYTES + 1))
    assert unseal(KEY, sealed) == b"x" * MAX_SEALED_BYTES


def test_sealing_twice_gives_different_texts() -> None:
    assert seal(KEY, b"x") != seal(KEY, b"x")


def test_the_public_part_cannot_open() -> None:
    public = public_part(KEY)
    assert not public.is_private
    with pytest.raises((SealError, JoseError)):
        unseal(public, seal(public, b"x"))


@pytest.mark.parametrize(
    "sealed", ["", "a.b.c", "a.b.c.d.e", seal(ECKey.generate_key("P-256"), b"x")]
)
def test_what_was_sealed_for_another_key_is_an_error(sealed: str) -> None:
    with pytest.raises(SealError):
        unseal(KEY, sealed)


def test_a_key_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key.jwk"
    file.write_text(json.dumps(KEY.as_dict(private=True)))
    assert unseal(read_key(file), seal(KEY, b"x")) == b"x"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "00ff",
        "[]",
        json.dumps(OctKey.generate_key(256).as_dict()),
        json.dumps(ECKey.generate_key("P-384").as_dict()),
    ],
    ids=["empty", "hexadecimal", "list", "symmetric key", "other curve"],
)
def test_another_kind_of_key_is_an_error_that_names_the_file(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key.jwk"
    file.write_text(content)
    with pytest.raises(SealError, match=r"key\.jwk.*P-256"):
        read_key(file)


def test_who_opens_originals_is_told_of_a_key_that_cannot(tmp_path: Path) -> None:
    file = tmp_path / "key.jwk"
    file.write_text(json.dumps(KEY.as_dict(private=True)))
    assert unseal(read_private_key(file), seal(KEY, b"x")) == b"x"
    file.write_text(json.dumps(KEY.as_dict(private=False)))
    with pytest.raises(SealError, match=r"key\.jwk.*private key"):
        read_private_key(file)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SealError, match=r"nothing\.jwk"):
        read_key(tmp_path / "nothing.jwk")


def test_the_key_of_a_record_is_the_source() -> None:
    assert rejection_key("urn:nhipso:source:vneid") == b"urn:nhipso:source:vneid"
    assert rejection_key(None) == b"unknown"
