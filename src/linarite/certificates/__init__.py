"""Certificates: a certificate authority of our own, and the one leaf that every listener shows.

The authority is name-constrained: whoever steals its key gets certificates for loopback and for what the operator
permitted, and for nothing else. `bundle.pem` holds certifi's public roots beside it, since the variables by which
clients are told of it (REQUESTS_CA_BUNDLE, SSL_CERT_FILE) replace their roots.

This module knows files and names; what is in a certificate, `issued` knows. It knows no listener and no setting.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from linarite import whole
from linarite.certificates.issued import LEAF_LIFE, OWN_NAMES, Pair, new_authority, new_leaf

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OWN_REALM = ("localhost", "127.0.0.0/8", "::1/128")
"""What every authority may certify."""
RENEWED_BEFORE_END = timedelta(days=30)

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")
# What the library raises for files that do not hold what they should.
_UNREADABLE = (OSError, ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.ExtensionNotFound)


class CertificateTrouble(Exception):
    """The certificates cannot be had; the message is a sentence that says what to do next."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files are that clients and listeners are given."""

    ca: Path
    """The authority's certificate."""
    bundle: Path
    """certifi's roots and the authority: what clients are told to trust."""
    chain: Path
    """The leaf and the authority, as a listener shows them."""
    key: Path
    """The leaf's private key."""


def ensure(folder: Path, names: tuple[str, ...], now: datetime, permitted: tuple[str, ...] = ()) -> Certificates:
    """Certificates in this folder that are good now, for loopback and these names; files that are good stay untouched.

    `names` are host names (`*.` in front is a wildcard) and IP addresses. `permitted` are the domains and IP networks
    that a new authority may certify beside loopback; an authority that exists keeps its own. The leaf is renewed when
    its days run out, when the names changed and when its files do not fit together; the authority, and then
    everything, only when it would end before a new leaf does. One process at a time may do this to a folder.

    Raises:
        CertificateTrouble: a name is none or is not permitted, the authority's files are damaged, or the folder cannot
            be written.
    """
    wanted = tuple(dict.fromkeys(_general_name(name) for name in (*OWN_NAMES, *names)))
    realm = [_domain(name) for name in (*OWN_REALM, *permitted)]
    files = Certificates(folder / "ca.pem", folder / "bundle.pem", folder / "server.pem", folder / "server.key")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _authority(folder) if files.ca.exists() else None
        if authority is None or not _leaf_is_good(files, authority, wanted, now):
            new = authority if authority and _outlives_a_leaf(authority, now) else new_authority(realm, now)
            _refuse_names_outside(new, wanted, folder)
            if new is not authority:
                _keep_authority(folder, new)
            _keep_leaf(files, new, new_leaf(new, wanted, now))
            authority = new
        _write(files.bundle, certifi.contents().encode() + b"\n# Linarite\n" + _pem(authority.certificate))
    except OSError as error:
        raise CertificateTrouble(
            f"The certificates in {folder} cannot be kept ({error.strerror}): let the user that runs Linarite own the "
            f"folder and its files, and see that the disk has room."
        ) from error
    return files


def days_left(path: Path, now: datetime) -> int:
    """Whole days until the first certificate in this file ends; negative once it has ended.

    Raises:
        CertificateTrouble: there is no certificate to be read.
    """
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except _UNREADABLE as error:
        raise CertificateTrouble(f"There is no certificate in {path}: start `linarite up`, which makes it.") from error
    return (certificate.not_valid_after_utc - now).days


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _general_name(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ip_address(name))
    if not _HOST.fullmatch(name.lower()):
        raise CertificateTrouble(f"{name!r} is no host name and no IP address: give names without scheme and port.")
    return x509.DNSName(name.lower())


def _domain(name: str) -> x509.GeneralName:
    """What a name constraint permits: an IP network, or a domain with all that is below it."""
    with suppress(ValueError):
        return x509.IPAddress(ip_network(name))
    return _general_name(name.removeprefix("*."))


def _permitted(certificate: x509.Certificate) -> list[x509.GeneralName]:
    constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    return list(constraints.permitted_subtrees or ())


def _refuse_names_outside(authority: Pair, names: Sequence[x509.GeneralName], folder: Path) -> None:
    """With one name that its authority may not certify, a leaf is refused by every client for all of its names."""
    realms = _permitted(authority.certificate)
    outside = [str(name.value) for name in names if not any(_covers(realm, name) for realm in realms)]
    if outside:
        raise CertificateTrouble(
            f"The authority in {folder} may not certify {', '.join(outside)}: permit the domain or network, and remove "
            f"ca.pem and ca.key, if they are there, for a new authority, which every client must then trust."
        )


def _covers(realm: x509.GeneralName, name: x509.GeneralName) -> bool:
    """Whether a permitted subtree holds a name (RFC 5280, 4.2.1.10)."""
    if isinstance(realm, x509.IPAddress) and isinstance(name, x509.IPAddress):
        return ip_address(str(name.value)) in ip_network(str(realm.value))
    if isinstance(realm, x509.DNSName) and isinstance(name, x509.DNSName):
        return f".{name.value}".endswith(f".{realm.value}")
    return False


# ── what is there ───────────────────────────────────────────────────────────────────────────────────────────────────


def _authority(folder: Path) -> Pair:
    """The authority as its files hold it.

    Raises:
        CertificateTrouble: they do not hold one of ours. It is never replaced unasked, for clients trust it.
    """
    with suppress(*_UNREADABLE):
        certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        key = load_pem_private_key((folder / "ca.key").read_bytes(), None)
        fits = key.public_key() == certificate.public_key() and _permitted(certificate)
        if fits and isinstance(key, ec.EllipticCurvePrivateKey):
            return Pair(certificate, key)
    raise CertificateTrouble(
        f"The certificate authority in {folder} cannot be used, for ca.pem or ca.key is damaged or unreadable, or they "
        f"are no pair: restore both from a backup, or remove both for a new authority, which every client must then "
        f"trust."
    )


def _leaf_is_good(files: Certificates, authority: Pair, wanted: Sequence[x509.GeneralName], now: datetime) -> bool:
    """Whether the leaf's files fit together and serve from now until the next renewal."""
    with suppress(*_UNREADABLE):
        leaf, issuer = x509.load_pem_x509_certificates(files.chain.read_bytes())
        leaf.verify_directly_issued_by(authority.certificate)
        key = load_pem_private_key(files.key.read_bytes(), None)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            issuer == authority.certificate
            and key.public_key() == leaf.public_key()
            and set(names) == set(wanted)
            and leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc - RENEWED_BEFORE_END
        )
    return False


def _outlives_a_leaf(authority: Pair, now: datetime) -> bool:
    """Whether a leaf that is made now would lie within the authority's life."""
    certificate = authority.certificate
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - LEAF_LIFE


# ── what is kept ────────────────────────────────────────────────────────────────────────────────────────────────────


def _keep_authority(folder: Path, authority: Pair) -> None:
    """The certificate comes last, and the old one goes first: with none, a start after a crash begins again."""
    (folder / "ca.pem").unlink(missing_ok=True)
    _write(folder / "ca.key", _private_pem(authority.key), 0o600)
    _write(folder / "ca.pem", _pem(authority.certificate))


def _keep_leaf(files: Certificates, authority: Pair, leaf: Pair) -> None:
    _write(files.key, _private_pem(leaf.key), 0o600)
    _write(files.chain, _pem(leaf.certificate) + _pem(authority.certificate))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put a whole file in place, on disk before it has its name; a file that holds this already stays untouched."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    whole.put(path, content, mode=mode)
