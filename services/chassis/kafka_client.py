"""How a process reaches the broker: what every client of it is made with.

Kafka knows four security protocols (Apache Kafka documentation, "Security"): `PLAINTEXT`, `SSL` (TLS,
with a client certificate where the broker asks for one), `SASL_PLAINTEXT` and `SASL_SSL` (user and
password, here by PLAIN or SCRAM).
"""

import ssl
from typing import Any, Final

from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from services.chassis.settings import KafkaSettings, SecretFileError, read_secret_text

_MECHANISMS: Final = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Where the broker is and how it is reached, as aiokafka's clients take it.

    Raises:
        SecretFileError: a certificate, key or password cannot be read or used.
    """
    return {
        "bootstrap_servers": settings.bootstrap_servers,
        **parse_security(security_of(settings)),
    }


def security_of(settings: KafkaSettings) -> BaseSecurity:
    """The same for FastStream's broker.

    Raises:
        SecretFileError: a certificate, key or password cannot be read or used.
    """
    context = _context(settings) if settings.is_encrypted else None
    if settings.sasl_username is None or settings.sasl_password_file is None:
        return BaseSecurity(ssl_context=context)
    password = read_secret_text(settings.sasl_password_file)
    mechanism = _MECHANISMS[settings.sasl_mechanism]
    return mechanism(settings.sasl_username, password, ssl_context=context)


def _context(settings: KafkaSettings) -> ssl.SSLContext:
    """TLS that checks the broker's certificate and name; the system's authorities unless told."""
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca_file)
        if settings.ssl_certificate_file is not None:
            context.load_cert_chain(settings.ssl_certificate_file, settings.ssl_key_file)
    except (OSError, ssl.SSLError) as error:
        named = (settings.ssl_ca_file, settings.ssl_certificate_file, settings.ssl_key_file)
        files = ", ".join(str(one) for one in named if one is not None)
        raise SecretFileError(
            f"cannot use {files} for TLS to Kafka: {error}; the files hold PEM, "
            "and the key belongs to the certificate and has no passphrase"
        ) from None
    return context
