"""Host names of this cloud: what stands under which name, as `{account}.blob.core.linarite.localhost` for blobs.

Words alone: this module knows no address, no port and no certificate, and does not know who exists.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

SUFFIX = "core.linarite.localhost"
"""What host names of storage accounts, vaults and registries end in.

It begins with `core.` as Azure's does, for azure-storage-blob tells an account's name from a host name by that word.
Such names resolve where an operator makes them; clients that are given an account's own endpoints need none of them.
"""

SERVICES = ("blob", "queue", "table", "vault", "azurecr")
"""Azure's words between a name and the suffix."""

VAULTS = f"https://vault.{SUFFIX}"
"""The resource that a token for a vault is asked for, as Azure's own vaults name `https://vault.azure.net`."""

_NAMED = re.compile(rf"([a-z0-9][a-z0-9-]{{0,62}})\.({'|'.join(SERVICES)})\.{re.escape(SUFFIX)}", re.IGNORECASE)
_VAULTS = re.compile(rf"{re.escape(VAULTS)}(:\d{{1,5}})?", re.IGNORECASE)


def host_of(service: str, name: str) -> str:
    """The host name under which a service serves what is called so."""
    return f"{name.lower()}.{service}.{SUFFIX}"


def named(host: str) -> tuple[str, str] | None:
    """Service and name behind a host name without a port, in lower case; None where it is none of this cloud's."""
    found = _NAMED.fullmatch(host)
    return (found[2].lower(), found[1].lower()) if found else None


def wildcards() -> tuple[str, ...]:
    """Names of a certificate that covers them all: a wildcard stands for one label."""
    return tuple(f"*.{service}.{SUFFIX}" for service in SERVICES)


def is_vaults(resource: str) -> bool:
    """Whether a token's resource is this cloud's vaults.

    Clients hold the resource of a challenge against the host name that they called, port and all, so a vault that is
    reached at a port of its own names the port too.
    """
    return _VAULTS.fullmatch(resource) is not None


def is_loopback(host: str) -> bool:
    """Whether a host, by its name or its address, is this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
