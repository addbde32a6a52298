"""Looks at an installation and says what is wrong and what to do about it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from linarite import certificates, client, seal
from linarite.store import census
from linarite.store.database import DatabaseTrouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from linarite.settings import Settings

_TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
"""Where Python's, Go's and Node's clients are told of a CA."""

_CLOCK_MAY_DIFFER = 300
"""Seconds that tokens forgive."""

_DOORS = 6
"""Ports that the doors take, right after the API's; the notebook door takes one more."""

_PATIENCE = 5.0
"""Seconds that a door may take to accept a connection."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    well: bool
    saying: str


def examine(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look at everything, in the order in which it is needed."""
    yield _folder(settings.data)
    yield _root_key(settings, environment)
    yield _certificate(settings.data)
    yield _database(settings)
    try:
        known = client.ready(settings.data)
    except client.NotRunning as error:
        yield _ports(settings)
        yield Finding("server", well=False, saying=str(error))
        return
    yield from _server(known)
    yield _doors(known["doors"])
    yield _trust(settings.data / "ca.pem", environment)


def _folder(data: Path) -> Finding:
    if not data.is_dir():
        return Finding("data folder", well=False, saying=f"{data} is not there yet; `linarite up` makes it.")
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return Finding("data folder", well=False, saying=f"{data} cannot be written; change its owner or mode.")
    return Finding("data folder", well=True, saying=str(data))


def _root_key(settings: Settings, environment: Mapping[str, str]) -> Finding:
    try:
        seal.root_key(settings.root_key, environment)
    except seal.RootKeyUnavailable as error:
        return Finding("root key", well=False, saying=str(error))
    return Finding("root key", well=True, saying=f"kept by {settings.root_key.partition(':')[0]}, and at hand")


def _certificate(data: Path) -> Finding:
    try:
        left = certificates.days_left(data / "server.pem", datetime.now(UTC))
    except certificates.CertificateTrouble as error:
        return Finding("certificate", well=False, saying=str(error))
    if left < 0:
        return Finding("certificate", well=False, saying="It has ended: a start of `linarite up` renews it.")
    return Finding("certificate", well=True, saying=f"{left} days left; a start renews it when 30 are left")


def _database(settings: Settings) -> Finding:
    path = settings.data / "linarite.db"
    if not settings.database and not path.exists():
        return Finding("database", well=False, saying="There is none yet; `linarite up` makes it.")
    try:
        dialect, entries = census.take(settings.database or f"sqlite:///{path}")
    except DatabaseTrouble as error:
        return Finding("database", well=False, saying=str(error))
    return Finding("database", well=True, saying=f"{dialect}, {entries} entries on the trail")


def _ports(settings: Settings) -> Finding:
    """The API's port and, where the doors are on, the ones that follow it."""
    last = settings.port + (_DOORS + settings.notebook if settings.doors and settings.port else 0)
    for port in range(settings.port, last + 1):
        with socket.socket(socket.AF_INET6 if ":" in settings.bind else socket.AF_INET) as probe:
            try:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((settings.bind, port))
            except (OSError, OverflowError) as error:
                why = getattr(error, "strerror", None) or error
                saying = f"Port {port} cannot be used: {why}. Choose others with --port."
                return Finding("ports", well=False, saying=saying)
    saying = f"{settings.port} to {last} are free" if last > settings.port else f"{settings.port} is free"
    return Finding("ports", well=True, saying=saying)


def _server(known: dict[str, Any]) -> Iterator[Finding]:
    """Whether it answers over TLS under its own CA, is unsealed, and has the same time."""
    try:
        health, date = client.Client(known).health()
    except (client.NotRunning, client.Refused) as error:
        yield Finding("server", well=False, saying=str(error))
        return
    if health == "sealed":
        yield Finding("server", well=False, saying=client.SEALED)
    else:
        yield Finding("server", well=True, saying=f"answers at {known['armEndpoint']}")
    apart = abs((parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds())
    well = apart < _CLOCK_MAY_DIFFER
    saying = f"{apart:.0f} seconds apart from the server's" + ("" if well else ": set one of the two.")
    yield Finding("clock", well=well, saying=saying)


def _doors(doors: Mapping[str, str | None]) -> Finding:
    """Whether every door that was opened takes connections; one that is off is no fault: `--no-doors` does it."""
    silent = [name for name, url in doors.items() if url and not _listens(url)]
    if silent:
        return Finding("doors", well=False, saying=f"No answer from {', '.join(silent)}: start the server again.")
    return Finding("doors", well=True, saying=", ".join(f"{name} {url or 'off'}" for name, url in doors.items()))


def _listens(url: str) -> bool:
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=_PATIENCE):
            return True
    except OSError:
        return False


def _trust(authority: Path, environment: Mapping[str, str]) -> Finding:
    """Whether clients of this shell are told of the CA, in whichever file."""
    certificate = authority.read_text()
    strangers = [name for name in _TRUST if not _stands_in(certificate, environment.get(name))]
    if strangers:
        saying = f'{", ".join(strangers)} of this shell name no file with the server\'s CA: eval "$(linarite env)"'
        return Finding("trust", well=False, saying=saying)
    return Finding("trust", well=True, saying="clients of this shell trust the server's CA")


def _stands_in(certificate: str, file: str | None) -> bool:
    try:
        return file is not None and certificate in Path(file).read_text()
    except (OSError, ValueError):
        return False
