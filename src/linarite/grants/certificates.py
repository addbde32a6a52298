"""Certificates of applications: read from PEM when they are registered, found by what an assertion names, and proved.

Only the public half ever comes here: a private key in the same file is passed over.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from linarite.foreign import unverified
from linarite.grants.denied.assertions import assertion_malformed, assertion_signature_wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from linarite.store.directory import Credential

ALGORITHMS = ("RS256", "PS256")
LEAST_BITS = 2048

_NAMES = ("x5t#S256", "x5t", "x5c")
"""Header members by which an assertion names the certificate."""


class BadCertificate(Exception):
    """What was given is no certificate that can be registered; the message is a sentence."""


def read(pem: bytes) -> x509.Certificate:
    """The first certificate of a PEM file.

    Raises:
        BadCertificate: there is none, or its key is not RSA of at least 2048 bits.
    """
    try:
        found = x509.load_pem_x509_certificates(pem)[0]
        key = found.public_key()
    except ValueError as error:
        raise BadCertificate("The file has no certificate in PEM (-----BEGIN CERTIFICATE-----) in it.") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_BITS:
        raise BadCertificate(f"The certificate's key must be RSA, and have at least {LEAST_BITS} bits.")
    return found


def thumbprint(certificate: x509.Certificate) -> str:
    """What Entra shows of a certificate: the SHA-1 of its bytes, in capitals."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name, and no proof of anything


def named_by(header: dict[str, Any], client: str, credentials: Sequence[Credential], now: datetime) -> x509.Certificate:
    """The registered certificate that an assertion's header names; where it names one twice, both must be the same.

    Raises:
        Denied: AADSTS50027, it names none; AADSTS700027, none that is registered, or one that has ended.
    """
    named = {name: header[name] for name in _NAMES if header.get(name)}
    if not named:
        raise assertion_malformed("No certificate thumbprint specified in token header.")
    for credential in (one for one in credentials if one.kind == "certificate"):
        certificate = x509.load_pem_x509_certificate(credential.public.encode())
        if all(_is(certificate, name, value) for name, value in named.items()):
            if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
                raise assertion_signature_wrong(client, "The key used is expired.", thumbprint(certificate))
            return certificate
    raise assertion_signature_wrong(client, "The key was not found.", next(_shown(named)))


def claims_signed_with(certificate: x509.Certificate, assertion: str) -> dict[str, Any]:
    """The claims of an assertion that was signed with the certificate's key.

    Raises:
        Denied: AADSTS700027, it was not.
    """
    pem = certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    found = unverified(assertion)
    if found is None or not _is_signed(assertion, found[0], RSAKey.import_key(pem)):
        why = "The provided signature value did not match the expected signature value."
        raise assertion_signature_wrong("", why, thumbprint(certificate))
    return found[1]


def _is_signed(assertion: str, header: dict[str, Any], key: RSAKey) -> bool:
    """Whether a key has signed an assertion as it stands.

    The library reads no base64 with `=` at its end, and the asynchronous clients of azure-identity write it.
    """
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS or "crit" in header:
        return False
    message, _, signature = assertion.rpartition(".")
    return JWSRegistry(algorithms=ALGORITHMS).get_alg(algorithm).verify(message.encode(), _bytes(signature), key)


def _is(certificate: x509.Certificate, name: str, value: object) -> bool:
    """Whether a header member names this certificate."""
    if name == "x5c":
        first = value[0] if isinstance(value, list) and value else ""
        return _bytes(first) == certificate.public_bytes(serialization.Encoding.DER)
    kind = hashes.SHA256() if name == "x5t#S256" else hashes.SHA1()  # noqa: S303 - as the client names it
    return _bytes(value) == certificate.fingerprint(kind)


def _bytes(value: object) -> bytes:
    """The bytes of a text in base64, of either alphabet, with breaks or without."""
    text = "".join(value.split()) if isinstance(value, str) else ""
    try:
        return base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _shown(named: dict[str, Any]) -> Iterator[str]:
    """How a refusal repeats the name: as hex, as the portal shows thumbprints."""
    for name in ("x5t", "x5t#S256"):
        if name in named:
            yield _bytes(named[name]).hex().upper()
    yield ""
