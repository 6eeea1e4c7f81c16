"""Credentials of sources: a token signed here, or the claims for whoever signs.

A province's identity provider issues tokens; the embedded stack has a signing key of its own. Which of
the two it is shows in whether a key is named, or lies in the stack's data directory.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from joserfc.errors import JoseError

from contracts.tokens import Role
from deploy.embedded.layout import Layout
from deploy.embedded.secret_files import write_private
from deploy.embedded.tokens import AUDIENCE, ISSUER, SigningKey
from services.cli.exits import USAGE, CommandError
from services.cli.terminal import remarks

_LONGEST_DAYS: Final = 3650

SigningKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--signing-key",
        metavar="FILE",
        help="A private EC key (JWK) that signs tokens; that of the running stack without it.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="Write the token there, for its owner alone; else print it."
    ),
]
DaysOption = Annotated[
    int, typer.Option("--days", min=1, max=_LONGEST_DAYS, help="How long the token is good for.")
]


@dataclass(frozen=True, slots=True)
class Issuing:
    """How and where to a credential is issued."""

    signing_key: Path | None
    endpoints: Path
    out: Path | None
    days: int

    def issue(self, source: str, domains: Collection[str]) -> None:
        """Print or write the token of a source, or print its claims where no key is at hand.

        Raises:
            CommandError: the key cannot be used, or the file cannot be written.
        """
        claims = {
            "sub": source,
            "role": Role.SOURCE.value,
            "sources": [source],
            "domains": sorted(domains),
        }
        key = self._key()
        if key is None:
            self._tell(claims)
            return
        token = key.issue(claims, datetime.now(UTC), timedelta(days=self.days))
        if self.out is None:
            typer.echo(token)
            return
        try:
            write_private(self.out, token)
        except OSError as error:
            raise CommandError(f"{self.out} cannot be written: {error.strerror}", USAGE) from None
        remarks().print(f"the token is in {self.out}, good for {self.days} days")

    def check(self) -> None:
        """See that a credential can be issued, before anything is registered.

        Raises:
            CommandError: as `issue`.
        """
        if self._key() is None and self.out is not None:
            raise CommandError(
                "there is no key to sign a token with: name one with --signing-key, or leave "
                "--out away to be shown the claims that your identity provider must issue",
                USAGE,
            )

    def _key(self) -> SigningKey | None:
        path = self.signing_key
        if path is None:
            path = Layout(self.endpoints.parent).secrets.signing_key
            if not path.exists():
                return None
        try:
            return SigningKey.read(path)
        except (OSError, ValueError, TypeError, KeyError, JoseError) as error:
            raise CommandError(
                f"{path} is no signing key ({type(error).__name__}); it must hold a private EC "
                "P-256 key as a JWK",
                USAGE,
            ) from None

    def _tell(self, claims: dict[str, Any]) -> None:
        remarks().print(
            "no signing key is at hand: let your identity provider issue a token (ES256) with "
            f"these claims and an exp; iss and aud as ingest's NHIPSO_TOKENS__ISSUER ({ISSUER}) "
            f"and NHIPSO_TOKENS__AUDIENCE ({AUDIENCE}) say"
        )
        typer.echo(json.dumps({"iss": ISSUER, "aud": AUDIENCE, **claims}, indent=2))
