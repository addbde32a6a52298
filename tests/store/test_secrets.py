"""Secrets are sealed: what is in the database, and in a dump of it, opens for nobody without the root key."""

from __future__ import annotations

import base64
import contextlib
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import make_url

from linarite.first_start import found
from linarite.grants import hash_secret
from linarite.model import Secret
from linarite.seal import Keyring, SealBroken, WrongRootKey
from linarite.store import directory, resources
from linarite.store import keyring as keyrings
from linarite.store.database import Database
from linarite.store.directory import Credential
from linarite.store.gate import Gate
from linarite.store.memory import Memory
from linarite.tokens.minting import private_half
from tests.postgres import USER, find_programs
from tests.store.site import ACCOUNT, ALICE, NOW, TEAM, opened, resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.store.transaction import Transaction
    from tests.store.site import Site

ROOT_KEY = bytes(range(32))
OPEN = "said-to-everybody"
"""No secret: shows that the search would find one."""

KEY = base64.b64encode(b"+the key of a storage account that is 64 bytes long, as Azure's are").decode()
PASSWORD = "correct horse battery staple"


def keep_everything(transaction: Transaction) -> None:
    """Write secrets of every kind beside those of the first start, and a resource with a word that is none."""
    transaction.add(resource(TEAM, {"tags": {"word": OPEN}}))
    transaction.add(resource(ACCOUNT))
    transaction.put_secret(ACCOUNT.key, "key1", Secret("first " + KEY))
    transaction.put_secret(ACCOUNT.key, "key1", Secret(KEY))
    transaction.put_secret(ACCOUNT.key, "empty", Secret(""))
    connection = transaction.connection()
    directory.add_principal(connection, ALICE, NOW)
    credential = Credential("c1", ALICE.object_id, hash_secret(Secret(PASSWORD)), NOW, kind="password")
    directory.add_credential(connection, credential)


@dataclass(frozen=True)
class Instance:
    """What has started for the first time, and everything that it keeps secret, by what it is."""

    site: Site
    secrets: dict[str, bytes]


@pytest.fixture
def instance(url: str) -> Iterator[Instance]:
    with opened(url, keyring_of(url)) as site:
        ring = site.keyring
        owner = site.run(found(site.gate, NOW)).owner_secret.reveal()
        site.commit(keep_everything)
        [signing] = site.ask(directory.signing_keys_all)
        private = private_half(signing, ring)
        yield Instance(
            site,
            {
                "the root key": ROOT_KEY,
                "a data key": ring._keys[ring.newest],
                "the owner's secret": owner.encode(),
                "a key of an account": KEY.encode(),
                "its key of before": b"first " + KEY.encode(),
                "a password": PASSWORD.encode(),
                "what signs tokens": private.as_pem(private=True).splitlines()[12],
                "what signs tokens, as a number": base64.urlsafe_b64decode(f"{private.as_dict(private=True)['d']}=="),
            },
        )


def keyring_of(url: str, root: bytes = ROOT_KEY) -> Keyring:
    with contextlib.closing(Database(url)) as database:
        return keyrings.unwrapped(database, root)


def holds(haystack: bytes, needle: bytes) -> bool:
    """Whether the bytes are there: as they are, in base64, or in the hexadecimal that PostgreSQL dumps."""
    forms = (needle, base64.b64encode(needle).rstrip(b"="), needle.hex().encode())
    return any(form in haystack for form in forms)


def files_of(url: str) -> dict[str, bytes]:
    """Every file of an SQLite database."""
    path = Path(make_url(url).database or "")
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}


def dump_of(url: str) -> dict[str, bytes]:
    """All that `pg_dump` says of a database."""
    programs = find_programs()
    assert programs is not None
    parsed = make_url(url)
    dumped = subprocess.run(
        [programs / "pg_dump", "-h", str(parsed.query["host"]), "-U", USER, str(parsed.database)],
        check=True,
        capture_output=True,
    )
    return {"dump": dumped.stdout}


# ── at rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_secret_is_in_any_file_or_dump_of_the_database(instance: Instance) -> None:
    url = instance.site.url
    kept = files_of if url.startswith("sqlite") else dump_of
    before = kept(url)
    instance.site.close()  # what is in SQLite's write-ahead log goes into the database itself
    for haystacks in (before, kept(url)):
        assert any(holds(haystack, OPEN.encode()) for haystack in haystacks.values())
        for name, haystack in haystacks.items():
            assert [what for what, secret in instance.secrets.items() if holds(haystack, secret)] == [], name
    if url.startswith("sqlite"):
        assert before.keys() >= {"linarite.db", "linarite.db-wal", "linarite.db-shm"}


# ── opened again ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_process_with_the_root_key_reads_every_secret(instance: Instance) -> None:
    other = Gate(Database(instance.site.url), Memory(10), keyring_of(instance.site.url))
    instance.site.gates.append(other)
    secrets = instance.site.look(lambda view: view.secrets(ACCOUNT.key), other)
    assert secrets == {"key1": Secret(KEY), "empty": Secret("")}


def test_a_secret_is_forgotten_when_it_is_said_to_be_none(instance: Instance) -> None:
    instance.site.commit(lambda transaction: transaction.put_secret(ACCOUNT.key, "key1", None))
    assert instance.site.look(lambda view: view.secrets(ACCOUNT.key)) == {"empty": Secret("")}


@pytest.mark.parametrize("column", ["owner", "name"])
def test_a_secret_that_was_moved_elsewhere_does_not_open(instance: Instance, column: str) -> None:
    owner, name = (TEAM.key, "key1") if column == "owner" else (ACCOUNT.key, "key2")
    with instance.site.gate.database.writing() as connection:
        moved = resources.boxes_of(resources.row_of(connection, ACCOUNT.key))["key1"]
        resources.keep_sealed(connection, owner, {name: moved})
    with pytest.raises(SealBroken):
        instance.site.look(lambda view: dict(view.secrets(owner)))


def test_only_what_is_asked_for_is_opened_and_nothing_of_it_prints(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    open_ = Keyring.open

    def counted(ring: Keyring, sealed: Any, owner: str, field: str) -> Secret:
        opened.append(field)
        return open_(ring, sealed, owner, field)

    monkeypatch.setattr(Keyring, "open", counted)
    secrets = instance.site.look(lambda view: view.secrets(ACCOUNT.key))
    assert (len(secrets), "key1" in secrets, "key2" in secrets) == (2, True, False)
    assert repr(secrets) == f"Secrets(of {ACCOUNT.key})"
    assert opened == []
    assert secrets["key1"] == Secret(KEY)
    assert opened == ["key1"]


# ── the keyring ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_instance_has_a_keyring_from_its_first_start_on(url: str) -> None:
    with contextlib.closing(Database(url)) as database:
        assert not keyrings.is_made(database)
        made = keyrings.unwrapped(database, ROOT_KEY)
        assert keyrings.is_made(database)
        assert keyrings.unwrapped(database, ROOT_KEY)._keys == made._keys


def test_another_root_key_opens_nothing_and_changes_nothing(url: str) -> None:
    made = keyring_of(url)
    with pytest.raises(WrongRootKey):
        keyring_of(url, root=bytes(32))
    assert keyring_of(url)._keys == made._keys


def test_processes_that_start_for_the_first_time_together_have_one_keyring(url: str) -> None:
    together = threading.Barrier(4)

    def start() -> Keyring:
        with contextlib.closing(Database(url)) as database:
            with database.reading():
                together.wait()
            return keyrings.unwrapped(database, ROOT_KEY)

    with ThreadPoolExecutor(4) as threads:
        rings = [future.result() for future in [threads.submit(start) for _ in range(4)]]
    assert all(ring._keys == rings[0]._keys for ring in rings)
