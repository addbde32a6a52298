"""Which name leads where: names of this cloud to the doors of a running server, others on or nowhere.

The ready file names most doors. Those of queues, tables and vaults have no line there: any account and any vault says
where its own are, and the owner may ask. A server that was started anew is known by its new ready file.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from linarite import client, hosts

if TYPE_CHECKING:
    from pathlib import Path

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_DOORS = {"blob": "blob", "azurecr": "registry"}
"""Services whose door the ready file names, and how."""
_ACCOUNTS = ("Microsoft.Storage/storageAccounts", "2023-01-01")
_VAULTS = ("Microsoft.KeyVault/vaults", "2023-07-01")


class Place(NamedTuple):
    """Where a connection goes."""

    host: str
    port: int


class Unconnected(Exception):
    """There is no connection to be had; the message is a sentence, `status` the HTTP status that says the same."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Switchboard:
    """Finds places for one data folder's server."""

    folder: Path
    strangers: bool = False
    """Whether names that are none of ours are connected as they are."""
    _server: tuple[int, str] = (0, "")
    """Process and address of the server that the ports are of."""
    _ports: dict[str, int] = field(default_factory=dict)

    async def place(self, host: str, port: int) -> Place:
        """Where a name leads, written in small letters.

        Raises:
            Unconnected: nowhere.
        """
        named = hosts.named(host)
        if named is not None:
            known = self._known()
            return Place(_host(known), await self._port(known, named[0]))
        if host.endswith(f".{hosts.SUFFIX}"):
            raise Unconnected(403, f"Nothing is served under {host}: there are {', '.join(hosts.SERVICES)}.")
        if self.strangers or await self._is_ours(host, port):
            return Place(host, port)
        raise Unconnected(403, f"{host}:{port} is none of Linarite's, and others are refused: see --pass-through.")

    def _known(self) -> dict[str, Any]:
        try:
            known = client.ready(self.folder)
        except client.NotRunning as error:
            raise Unconnected(503, str(error)) from error
        server = known["pid"], known["armEndpoint"]
        if server != self._server:
            self._server = server
            self._ports.clear()
        return known

    async def _port(self, known: dict[str, Any], service: str) -> int:
        if service not in self._ports:
            named = {service: known["doors"][door] for service, door in _DOORS.items()}
            urls = named if service in named else await asyncio.to_thread(_asked, known, service)
            self._ports |= {name: port for name, url in urls.items() if (port := _port_in(url))}
        if service not in self._ports:
            raise Unconnected(503, f"The door of {service} is closed, or there is nothing behind it yet.")
        return self._ports[service]

    async def _is_ours(self, host: str, port: int) -> bool:
        """Whether an address is the server's own.

        Clients that use a proxy come here with these too. They cannot be told to leave `localhost` alone (NO_PROXY):
        they would leave alone whatever ends so, our names among it.
        """
        known = self._known()
        if host not in (*_LOOPBACK, _host(known)):
            return False
        if port in map(_port_in, (known["armEndpoint"], *known["doors"].values())):
            return True
        for service in hosts.SERVICES:
            try:
                await self._port(known, service)
            except Unconnected:
                continue
        return port in self._ports.values()


def _host(known: dict[str, Any]) -> str:
    return urlsplit(known["armEndpoint"]).hostname or ""


def _port_in(url: str | None) -> int | None:
    """The port that an address names; None of an address of Azure's own, as a resource has it whose door is closed."""
    return urlsplit(url).port if url else None


def _asked(known: dict[str, Any], service: str) -> dict[str, str]:
    """Addresses by service, as the server's own resources name them; asked as the owner."""
    if known["clientSecret"] is None:
        raise Unconnected(503, client.SEALED)
    type_, version = _VAULTS if service == "vault" else _ACCOUNTS
    path = f"/subscriptions/{known['subscriptionId']}/providers/{type_}"
    try:
        found = client.Client(known).call("GET", path, version).body["value"]
    except (client.NotRunning, client.Refused) as error:
        raise Unconnected(503, str(error)) from error
    if not found:
        return {}
    properties = found[0]["properties"]
    return {"vault": properties["vaultUri"]} if service == "vault" else dict(properties["primaryEndpoints"])
