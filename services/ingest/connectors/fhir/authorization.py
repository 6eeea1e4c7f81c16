"""How the connector shows who it is where it gets its tokens: by a secret or a signed assertion.

The assertion is that of SMART Backend Services (RFC 7523, `private_key_jwt`).
"""

import json
import uuid
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from services.chassis.clock import Clock
from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.fhir.config import Authorization
from services.ingest.connectors.oauth2 import TokenRequest, basic
from services.ingest.connectors.secret_file import secret_in

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 300


def token_request(config: Authorization, clock: Clock) -> TokenRequest:
    """What the token endpoint is asked.

    Raises:
        SourceError: the secret or the key cannot be used.
    """
    form = {"scope": config.scope}
    if config.client_secret_file is not None:
        return TokenRequest(form, basic(config.client_id, secret_in(config.client_secret_file)))
    assertion = _assertion(config, int(clock.now().timestamp()))
    return TokenRequest(
        form | {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion}
    )


def _assertion(config: Authorization, now: int) -> str:
    path = config.private_key_file
    claims = {
        "iss": config.client_id,
        "sub": config.client_id,
        "aud": config.token_url,
        "iat": now,
        "exp": now + _ASSERTION_SECONDS,
        "jti": uuid.uuid4().hex,
    }
    try:
        held = json.loads(secret_in(path)) if path else {}
        key = JWKRegistry.import_key(held)
        if not isinstance(key, ECKey | RSAKey):
            raise SourceError(f"{path}: want an EC or RSA private key as a JWK")
        algorithm = str(held.get("alg", "ES384" if isinstance(key, ECKey) else "RS384"))
        header = {"alg": algorithm, "typ": "JWT", "kid": str(held.get("kid", ""))}
        return jwt.encode(header, claims, key, algorithms=[algorithm])
    except (JoseError, ValueError, KeyError, TypeError) as error:
        kind = type(error).__name__
        raise SourceError(f"{path}: is no private key as a JWK ({kind})") from None
