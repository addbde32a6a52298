"""A private PostgreSQL for tests, in a temporary folder, reached through a socket that nobody else can open.

One cluster a test process, one fresh database a test, cloned from a template. The server never outlives the process
that asked for it, however that ends. This module knows nothing of what is kept in a database: where tests want tables
to be there already, their folder's conftest overrides `postgres_template`.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "linarite"
PORT = 5432
"""Only names the socket inside the cluster's own folder: no network port is opened."""

STARTS_WITHIN = 30.0
"""Seconds a cluster may take to accept its first connection."""

ELSEWHERE = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
"""Where distributions keep the server programs that they leave off the PATH."""

LEASH = """
folder=$1; shift
"$@" & server=$!
read -r signal || gone=yes
kill -s "${signal:-INT}" $server; wait $server
[ -z "$gone" ] || rm -rf "$folder"
"""
"""Holds the server for us: told a signal, it passes it on; where we are gone, it stops the server and tidies up."""


def find_programs() -> Path | None:
    """The folder of the newest PostgreSQL server programs on this machine, or None."""
    if (initdb := shutil.which("initdb")) is not None:
        return Path(initdb).resolve().parent
    found = [path for pattern in ELSEWHERE for path in Path("/").glob(pattern[1:]) if (path / "initdb").exists()]
    return max(found, key=_version, default=None)


def _version(programs: Path) -> int:
    """15 of `/usr/lib/postgresql/15/bin`, `/usr/pgsql-15/bin` and `…/postgresql@15/bin`."""
    digits = "".join(character for character in programs.parent.name if character.isdigit())
    return int(digits or 0)


def _identity() -> dict[str, Any]:
    """What `subprocess` needs to run as somebody harmless: PostgreSQL's programs refuse root."""
    if os.getuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    harmless = names.get("postgres") or names["nobody"]
    return {"user": harmless.pw_uid, "group": harmless.pw_gid, "extra_groups": []}


class Cluster:
    """A PostgreSQL cluster of our own, from its construction until `remove`; durable, as the real ones are."""

    def __init__(self, programs: Path) -> None:
        """Make the cluster and start it.

        Raises:
            subprocess.CalledProcessError: PostgreSQL would not make the cluster.
            TimeoutError: it made one that did not answer in time; the message has the server's own log.
        """
        self._programs = programs
        self._numbers = itertools.count(1)
        # A socket's path may have about a hundred characters, fewer than some temporary folders have.
        self.folder = Path(tempfile.mkdtemp(prefix="linarite-pg-", dir="/tmp"))
        self._identity = _identity()
        if self._identity:
            os.chown(self.folder, self._identity["user"], self._identity["group"])
        self._run("initdb", "--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C", "--no-sync", "data")
        self.start()

    def start(self) -> None:
        """Start the server, after a `stop`, and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": self.folder,
            "fsync": "on",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        server = [str(self._programs / "postgres"), "-D", "data", *options]
        with (self.folder / "log").open("ab") as log:
            self._leash = subprocess.Popen(
                ["/bin/sh", "-c", LEASH, "leash", str(self.folder), *server],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests; the server hears of it through the leash
                **self._surroundings(),
            )
        self._await_answer()

    def stop(self, *, crash: bool = False) -> None:
        """Stop the server: open transactions are rolled back; after a crash the next start recovers from the log."""
        self._leash.communicate(b"QUIT\n" if crash else b"INT\n")

    def remove(self) -> None:
        """Stop the server, if it runs, and delete all that it wrote."""
        if self._leash.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)

    def create_database(self, template: str = "template1") -> str:
        """Clone a database that nobody is connected to, and answer the name of the clone."""
        name = f"test_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._administer(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, and cut off whoever is still connected to it."""
        self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, database: str) -> str:
        """SQLAlchemy's URL of one of the databases."""
        return f"postgresql+psycopg://{USER}@/{database}?host={quote(str(self.folder), safe='')}&port={PORT}"

    def _administer(self, statement: sql.Composed) -> None:
        with self._connect() as connection:
            connection.execute(statement)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.folder), port=PORT, user=USER, dbname="postgres", autocommit=True)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                self._connect().close()
            except psycopg.OperationalError as refusal:
                if time.monotonic() > deadline:
                    raise TimeoutError((self.folder / "log").read_text()) from refusal
                time.sleep(0.02)
            else:
                return

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self._surroundings())

    def _surroundings(self) -> dict[str, Any]:
        """A folder, an identity and an environment that owe nothing to those of the tests."""
        return {"cwd": self.folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, **self._identity}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """The cluster of this test process."""
    programs = find_programs()
    if programs is None:
        pytest.skip(f"no PostgreSQL server: initdb is neither on the PATH nor in {', '.join(ELSEWHERE)}")
    cluster = Cluster(programs)
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The name of the database that every test's own is cloned from: an empty one, unless a conftest overrides this."""
    return "template1"


@pytest.fixture
def postgres_url(postgres: Cluster, postgres_template: str) -> Iterator[str]:
    """SQLAlchemy's URL of a fresh database, which is dropped after the test."""
    database = postgres.create_database(postgres_template)
    yield postgres.url(database)
    postgres.drop_database(database)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the cluster, so that `-m "not postgres"` leaves it out."""
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker("postgres")
