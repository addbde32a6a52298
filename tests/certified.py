"""Certificates of applications, with their private keys, and the assertions that are signed with them."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey

SHA1 = hashes.SHA1()  # noqa: S303 - as clients name certificates
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Certified:
    """A self-signed certificate and its private key."""

    certificate: x509.Certificate
    private: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def both(self) -> bytes:
        """Key and certificate, as azure-identity takes them."""
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self.private.private_bytes(encoding, form, serialization.NoEncryption()) + self.pem

    @property
    def der(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()

    def thumb(self, kind: hashes.HashAlgorithm) -> str:
        return base64.urlsafe_b64encode(self.certificate.fingerprint(kind)).decode().rstrip("=")

    def headers(self) -> dict[str, dict[str, Any]]:
        """Every way to name it."""
        return {
            "x5t": {"x5t": self.thumb(SHA1)},
            "x5t#S256": {"x5t#S256": self.thumb(hashes.SHA256())},
            "x5c": {"x5c": [self.der]},
            "all": {"x5t": self.thumb(SHA1), "x5t#S256": self.thumb(hashes.SHA256()), "x5c": [self.der]},
        }

    def assertion(
        self, claims: dict[str, Any], *, algorithm: str = "RS256", header: dict[str, Any] | None = None
    ) -> str:
        named = self.headers()["x5t#S256"] if header is None else header
        key = RSAKey.import_key(
            self.private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return jwt.encode({"alg": algorithm, **named}, claims, key, algorithms=[algorithm])


def claims_of(client: str, audience: str, now: float | None = None, **changes: Any) -> dict[str, Any]:
    """What an application says of itself; None leaves a claim out."""
    at = int(time.time() if now is None else now)
    claims = {"iss": client, "sub": client, "aud": audience, "nbf": at, "exp": at + 600, "jti": str(uuid4()), **changes}
    return {name: value for name, value in claims.items() if value is not None}


def certified(begins: datetime | None = None, ends: datetime | None = None, *, key: Any = None) -> Certified:
    """A new certificate, valid for a day unless told otherwise."""
    now = datetime.now(UTC)
    private = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pipeline")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins or now - timedelta(hours=1))
        .not_valid_after(ends or now + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    return Certified(certificate, private)


def weak_key() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused


def elliptic_key() -> Any:
    return ec.generate_private_key(ec.SECP256R1())
