"""Keys under which a unit of work notes what it changes, and what each of them says has changed.

A resource, its secrets and its soft deletion are noted under the resource's own key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EVERYTHING = "*"
"""Of a change that makes all that is remembered void."""

SIGNING_KEYS = "signing-keys"
"""Of the keys that sign tokens."""

PRINCIPALS = "principals"
"""Who there is, by application id or user name: changes with any principal."""

LOCKS = "locks"
"""All locks together: there are few. They change with any resource that is one."""

FAULTS = "faults"
"""All faults on purpose together: there are few, mostly none. They change with any resource that is one."""

_PRINCIPAL = "principal:"
_LOCK = "/providers/microsoft.authorization/locks/"
_FAULT = "/providers/linarite.testing/faults/"


def principal_key(object_id: str) -> str:
    """Of a principal, its credentials and its roles."""
    return _PRINCIPAL + object_id


def object_id_in(key: str) -> str | None:
    """Whose key it is; None where it is no principal's."""
    return key.removeprefix(_PRINCIPAL) if key.startswith(_PRINCIPAL) else None


def touched(noted: Iterable[str]) -> set[str]:
    """All that has changed where these keys were noted: they themselves, and what is remembered as a whole."""
    found = set(noted)
    for key in tuple(found):
        if key.startswith(_PRINCIPAL):
            found.add(PRINCIPALS)
        if _LOCK in key:
            found.add(LOCKS)
        if key.startswith(_FAULT):
            found.add(FAULTS)
    return found
