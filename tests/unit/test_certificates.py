"""Certificates: what real TLS clients accept and refuse, and when files are made anew."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from linarite import certificates
from linarite.certificates import Certificates, CertificateTrouble, days_left, ensure, issued

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2031, 5, 17, 12, 30, 15, tzinfo=UTC)
DAY = timedelta(days=1)
FILES = {"ca.pem", "ca.key", "server.pem", "server.key", "bundle.pem"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


def leaf_of(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())


def authority_of(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())


# ── real clients ────────────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def served(chain: Path, key: Path) -> Iterator[int]:
    """A TLS server that shakes hands and hangs up; gives its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def shake_hands(port: int, name: str, trusted: Path | str) -> None:
    """Connect as a client that calls the server by this name; raises what Python's ssl raises."""
    context = ssl.create_default_context(cafile=trusted)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname=name),
    ):
        pass


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates that are good while the tests run."""
    folder = tmp_path_factory.mktemp("today")
    names = ("ml.azure.test", "*.blob.azure.test", "10.1.2.3")
    return ensure(folder, names, datetime.now(UTC), ("azure.test", "10.0.0.0/8"))


@pytest.fixture(scope="module")
def port(today: Certificates) -> Iterator[int]:
    with served(today.chain, today.key) as port:
        yield port


@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1", "::1", "ml.azure.test", "account1.blob.azure.test", "10.1.2.3"]
)
def test_a_client_with_the_bundle_accepts_every_name(today: Certificates, port: int, name: str) -> None:
    shake_hands(port, name, today.bundle)
    shake_hands(port, name, today.ca)


def test_a_client_without_the_bundle_refuses(port: int) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate in certificate chain"):
        shake_hands(port, "localhost", certifi.where())


@pytest.mark.parametrize("name", ["example.com", "other.azure.test", "127.0.0.2", "10.1.2.4"])
def test_a_client_refuses_a_name_that_the_leaf_is_not_for(today: Certificates, port: int, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(port, name, today.bundle)


@contextlib.contextmanager
def forged(authority: Certificates, folder: Path, name: str) -> Iterator[int]:
    """A server with a leaf for any name, as one could sign it who stole the authority's key; gives its port."""
    stolen = certificates._authority(authority.ca.parent)
    leaf = issued.new_leaf(stolen, [certificates._general_name(name)], datetime.now(UTC))
    files = Certificates(authority.ca, authority.bundle, folder / "server.pem", folder / "server.key")
    certificates._keep_leaf(files, stolen, leaf)
    with served(files.chain, files.key) as port:
        yield port


@pytest.mark.parametrize(
    "name",
    ["management.azure.com", "notlocalhost", "azure.test.example.com", "8.8.8.8", "2001:db8::1"],
)
def test_clients_refuse_what_a_stolen_authority_signs_for_others(
    today: Certificates, tmp_path: Path, name: str
) -> None:
    with forged(today, tmp_path, name) as port:  # noqa: SIM117 - the server is not part of what must fail
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            shake_hands(port, name, today.bundle)


@pytest.mark.parametrize("name", ["deeper.localhost", "127.1.2.3", "other.azure.test", "10.200.0.1"])
def test_clients_accept_what_the_authority_signs_for_its_realm(today: Certificates, tmp_path: Path, name: str) -> None:
    with forged(today, tmp_path, name) as port:
        shake_hands(port, name, today.bundle)


def test_the_bundle_holds_every_public_root_and_ours(today: Certificates) -> None:
    public, bundle = ssl.create_default_context(cafile=certifi.where()), ssl.create_default_context(cafile=today.bundle)
    roots, all_of_it = (context.get_ca_certs(binary_form=True) for context in (public, bundle))
    assert {*all_of_it} - {*roots} == {authority_of(today.ca.parent).public_bytes(Encoding.DER)}
    assert len(all_of_it) == len(roots) + 1 > 100


# ── what is made ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_start_makes_all_files_and_the_keys_are_for_the_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = ensure(tmp_path / "tls", (), NOW)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").iterdir()}
    assert modes == {name: 0o600 if name.endswith(".key") else 0o644 for name in FILES}
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700
    assert [path.name for path in (made.ca, made.bundle, made.chain, made.key)] == [
        "ca.pem",
        "bundle.pem",
        "server.pem",
        "server.key",
    ]


def test_the_authority_says_what_it_is_for(tmp_path: Path) -> None:
    ensure(tmp_path, (), NOW, ("Azure.Test", "*.wild.test"))
    authority = authority_of(tmp_path)
    extensions = {type(each.value): each for each in authority.extensions}
    constraints = extensions[x509.NameConstraints].value
    assert isinstance(constraints, x509.NameConstraints)
    assert [str(each.value) for each in constraints.permitted_subtrees or ()] == [
        "localhost",
        "127.0.0.0/8",
        "::1/128",
        "azure.test",
        "wild.test",
    ]
    assert extensions[x509.BasicConstraints].value == x509.BasicConstraints(ca=True, path_length=0)
    usage = extensions[x509.KeyUsage].value
    assert isinstance(usage, x509.KeyUsage)
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert all(extensions[each].critical for each in (x509.NameConstraints, x509.BasicConstraints, x509.KeyUsage))
    assert authority.not_valid_before_utc == NOW - timedelta(hours=1)
    assert authority.not_valid_after_utc - authority.not_valid_before_utc == 3650 * DAY


def test_the_leaf_says_what_it_is_for(tmp_path: Path) -> None:
    ensure(tmp_path, ("A.localhost", "a.localhost", "127.0.0.2"), NOW)
    leaf = leaf_of(tmp_path)
    extensions = {type(each.value): each for each in leaf.extensions}
    names = extensions[x509.SubjectAlternativeName].value
    assert isinstance(names, x509.SubjectAlternativeName)
    assert [str(name.value) for name in names] == ["localhost", "127.0.0.1", "::1", "a.localhost", "127.0.0.2"]
    assert extensions[x509.ExtendedKeyUsage].value == x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    usage = extensions[x509.KeyUsage].value
    assert isinstance(usage, x509.KeyUsage)
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)
    assert extensions[x509.BasicConstraints].value == x509.BasicConstraints(ca=False, path_length=None)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == 397 * DAY
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)


def test_the_leaf_names_the_key_of_its_authority(tmp_path: Path) -> None:
    ensure(tmp_path, (), NOW)
    leaf, authority = leaf_of(tmp_path), authority_of(tmp_path)
    issuer_key = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    own_key = leaf.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    authority_key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert issuer_key == authority_key != own_key


def test_two_authorities_do_not_share_a_name(tmp_path: Path) -> None:
    ensure(tmp_path / "a", (), NOW)
    ensure(tmp_path / "b", (), NOW)
    assert authority_of(tmp_path / "a").subject != authority_of(tmp_path / "b").subject


# ── when it is made anew ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose certificates were made NOW, for one more name."""
    ensure(tmp_path, ("a.localhost",), NOW)
    return tmp_path


@pytest.mark.parametrize("names", [("a.localhost",), ("A.LOCALHOST", "127.0.0.1"), ("localhost", "a.localhost")])
def test_a_second_start_touches_no_file(folder: Path, names: tuple[str, ...]) -> None:
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}
    ensure(folder, names, NOW + 300 * DAY)
    assert {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("later", "anew"),
    [
        (timedelta(days=366, hours=23), set()),  # 30 days remain, for leaves are an hour older than they are
        (timedelta(days=366, hours=23, seconds=1), {"server.pem", "server.key"}),
        (timedelta(days=800), {"server.pem", "server.key"}),
        (timedelta(hours=-2), FILES),  # the clock was wrong when they were made
        (timedelta(days=3650 - 397, hours=-2), {"server.pem", "server.key"}),
        (timedelta(days=3650 - 397), FILES),
        (timedelta(days=5000), FILES),
    ],
)
def test_time_makes_the_leaf_anew_and_in_the_end_the_authority(folder: Path, later: timedelta, anew: set[str]) -> None:
    before = contents(folder)
    ensure(folder, ("a.localhost",), NOW + later)
    assert changed(before, contents(folder)) == anew
    leaf, authority = leaf_of(folder), authority_of(folder)
    leaf.verify_directly_issued_by(authority)
    assert leaf.not_valid_after_utc <= authority.not_valid_after_utc
    assert leaf.not_valid_before_utc <= NOW + later
    assert days_left(folder / "server.pem", NOW + later) >= 30


@pytest.mark.parametrize("names", [(), ("b.localhost",), ("a.localhost", "b.localhost")])
def test_other_names_make_the_leaf_anew(folder: Path, names: tuple[str, ...]) -> None:
    before = contents(folder)
    ensure(folder, names, NOW)
    assert changed(before, contents(folder)) == {"server.pem", "server.key"}
    found = leaf_of(folder).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in found} == {"localhost", "127.0.0.1", "::1", *names}


def test_a_leaf_whose_files_do_not_fit_together_is_made_anew(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    ensure(other, ("a.localhost",), NOW)
    own, foreign = (contents(each) for each in (folder, other))
    key_encrypted = load_pem_private_key(own["server.key"], None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")
    )
    leaf_alone = leaf_of(folder).public_bytes(Encoding.PEM)
    foreign_leaf = leaf_of(other).public_bytes(Encoding.PEM)
    der = leaf_of(folder).public_bytes(Encoding.DER)
    ill_signed = ssl.DER_cert_to_PEM_cert(der[:-1] + bytes([der[-1] ^ 1])).encode()
    for damage in (
        {"server.key": foreign["server.key"]},
        {"server.pem": foreign["server.pem"]},
        {"server.pem": foreign["server.pem"], "server.key": foreign["server.key"]},
        {"server.pem": foreign_leaf + own["ca.pem"], "server.key": foreign["server.key"]},
        {"server.pem": ill_signed + own["ca.pem"]},
        {"server.pem": leaf_alone},
        {"server.pem": leaf_alone + foreign["ca.pem"]},
        {"server.pem": own["ca.pem"] * 2, "server.key": own["ca.key"]},
        {"server.pem": b"", "server.key": b""},
        {"server.pem": own["server.pem"][:300]},
        {"server.key": key_encrypted},
    ):
        for name, content in {**own, **damage}.items():
            (folder / name).write_bytes(content)
        ensure(folder, ("a.localhost",), NOW)
        now = contents(folder)
        assert changed(own, now) == {"server.pem", "server.key"}
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        leaf_of(folder).verify_directly_issued_by(authority_of(folder))


@pytest.mark.parametrize("name", ["server.pem", "server.key"])
def test_a_leaf_that_lost_a_file_is_made_anew(folder: Path, name: str) -> None:
    before = contents(folder)
    (folder / name).unlink()
    ensure(folder, ("a.localhost",), NOW)
    assert changed(before, contents(folder)) == {"server.pem", "server.key"}


def test_a_bundle_that_is_behind_is_written_again(folder: Path) -> None:
    before = contents(folder)
    (folder / "bundle.pem").write_text("the roots of last year")
    ensure(folder, ("a.localhost",), NOW)
    assert contents(folder) == before


def test_an_authority_without_its_certificate_never_was_and_everything_is_made_anew(folder: Path) -> None:
    before = contents(folder)
    (folder / "ca.pem").unlink()
    ensure(folder, ("a.localhost",), NOW)
    assert changed(before, contents(folder)) == FILES


def test_a_start_after_a_crash_at_any_moment_of_renewal_mends_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, later = Path.replace, NOW + 3500 * DAY
    for survived in range(5):
        left = survived

        def crash(self: Path, target: Path) -> Path:
            nonlocal left
            if not left:
                raise KeyboardInterrupt
            left -= 1
            return replace(self, target)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", crash)
            with pytest.raises(KeyboardInterrupt):
                ensure(folder, ("a.localhost",), later)
        assert not [path for path in folder.iterdir() if path.name not in FILES]
        ensure(folder, ("a.localhost",), later)
        leaf_of(folder).verify_directly_issued_by(authority_of(folder))
        assert (folder / "bundle.pem").read_bytes().endswith((folder / "ca.pem").read_bytes())
        later += 3500 * DAY


def test_every_file_is_on_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(handle: int) -> None:
        events.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def noted_replace(self: Path, target: Path) -> Path:
        events.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    ensure(tmp_path, (), NOW)
    assert events == ["file", "name", "folder"] * len(FILES)


# ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────────────────


UNKNOWN_CURVE = b"""-----BEGIN PRIVATE KEY-----
MGQCAQAwFAYHKoZIzj0CAQYJKyQDAwIIAQEBBEkwRwIBAQQUB0PDD01mzYfBtT+4
avKXzuMdxKuhLAMqAATYxdPp2Av2aJ3opHcS8K4e2ogabmkamVoF68FRqPienI2Q
7kQjDrU/
-----END PRIVATE KEY-----
"""


@pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
@pytest.mark.parametrize(
    "content", [b"", b"damaged", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", UNKNOWN_CURVE]
)
def test_a_damaged_authority_is_told_and_never_replaced(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    before = contents(folder)
    with pytest.raises(CertificateTrouble, match="restore both from a backup, or remove both"):
        ensure(folder, ("b.localhost",), NOW)
    assert contents(folder) == before


def test_an_authority_without_its_key_is_told(folder: Path) -> None:
    (folder / "ca.key").unlink()
    with pytest.raises(CertificateTrouble, match="restore both"):
        ensure(folder, ("a.localhost",), NOW)


def test_an_authority_with_the_key_of_another_is_told(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    ensure(other, (), NOW)
    (folder / "ca.key").write_bytes((other / "ca.key").read_bytes())
    with pytest.raises(CertificateTrouble, match="they are no pair"):
        ensure(folder, ("a.localhost",), NOW)


def test_an_authority_with_a_key_of_another_kind_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(ec, "generate_private_key", lambda _: rsa.generate_private_key(65537, 2048))
        ensure(tmp_path, (), NOW)
    with pytest.raises(CertificateTrouble, match="cannot be used"):
        ensure(tmp_path, (), NOW)


def test_an_authority_that_is_not_name_constrained_is_not_taken_for_ours(folder: Path) -> None:
    leaf = contents(folder)
    (folder / "ca.pem").write_bytes(leaf_of(folder).public_bytes(Encoding.PEM))
    (folder / "ca.key").write_bytes(leaf["server.key"])
    with pytest.raises(CertificateTrouble, match="cannot be used"):
        ensure(folder, ("a.localhost",), NOW)


@pytest.mark.parametrize("name", ["example.com", "notlocalhost", "10.0.0.1", "::2", "*.azure.test"])
def test_a_name_that_the_authority_may_not_certify_is_refused_before_anything_is_written(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    for each in (folder, tmp_path_factory.mktemp("new")):
        before = contents(each)
        with pytest.raises(CertificateTrouble) as caught:
            ensure(each, ("a.localhost", name), NOW)
        assert f"may not certify {name}: permit" in str(caught.value)
        assert contents(each) == before


def test_after_the_removal_that_the_refusal_speaks_of_the_name_is_certified(folder: Path) -> None:
    with pytest.raises(CertificateTrouble, match=r"remove ca\.pem and ca\.key"):
        ensure(folder, ("ml.azure.test",), NOW, ("azure.test",))
    (folder / "ca.pem").unlink()
    (folder / "ca.key").unlink()
    ensure(folder, ("ml.azure.test",), NOW, ("azure.test",))
    assert (
        x509.DNSName("ml.azure.test")
        in leaf_of(folder).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    )


@pytest.mark.parametrize(
    "name", ["", "https://localhost", "localhost:8443", "a b", "a..b", "-a.localhost", "münchen.test", "[::1]", "a.*.b"]
)
def test_what_is_no_name_is_refused_with_its_words(tmp_path: Path, name: str) -> None:
    for names, permitted in (((name,), ()), ((), (name,))):
        with pytest.raises(CertificateTrouble) as caught:
            ensure(tmp_path / "tls", names, NOW, permitted)
        assert f"{name!r} is no host name and no IP address" in str(caught.value)
    assert not (tmp_path / "tls").exists()


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CertificateTrouble, match=r"cannot be kept \(.+\): let the user that runs Linarite own"):
        ensure(tmp_path / "file" / "tls", (), NOW)


# ── for the doctor ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_days_left_are_counted_whole(folder: Path) -> None:
    end = leaf_of(folder).not_valid_after_utc
    assert days_left(folder / "server.pem", end - 10 * DAY) == 10
    assert days_left(folder / "server.pem", end - 10 * DAY + timedelta(seconds=1)) == 9
    assert days_left(folder / "server.pem", end + timedelta(seconds=1)) == -1
    assert days_left(folder / "ca.pem", NOW) == 3649


def test_where_there_is_no_certificate_no_days_are_counted(folder: Path) -> None:
    for path in (folder / "nothing.pem", folder / "server.key", folder):
        with pytest.raises(CertificateTrouble, match=f"There is no certificate in {path}"):
            days_left(path, NOW)
