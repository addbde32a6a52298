"""Tables on the terminal. The one place where the command line prints values of keys, and only when asked to."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from linarite.bench.aims import Aim
    from linarite.bench.report import Row as BenchRow
    from linarite.bench.scale import Row as ScaleRow
    from linarite.credentials import Held as Credential
    from linarite.demo import Step
    from linarite.doctor import Finding
    from linarite.holders import Holder
    from linarite.membership import Held
    from linarite.settings import Row

_OPEN = {"userStorageResourceId", "userStorageArmId", "location", "username", "name"}
"""Members of listKeys that are no secrets."""

_MASK = "•" * 8
_UNBROKEN = 10_000
"""Columns where the output is no terminal: a program that reads it wants every row on one line."""


def print_keys(answer: dict[str, Any], *, show: bool, as_json: bool) -> None:
    """The answer of listKeys, masked unless `show`."""
    seen = answer if show else _masked(answer)
    if as_json:
        _print_json(seen)
        return
    _print(("key", "value"), ((name, "null" if value is None else str(value)) for name, value in _leaves(seen)))


def print_findings(findings: Iterable[Finding]) -> None:
    """What the doctor found."""
    _print(("", "what", "how it is"), (("✓" if one.well else "✗", one.what, one.saying) for one in findings))


def print_figures(rows: Sequence[BenchRow | ScaleRow]) -> None:
    """What the bench found."""
    names = [field.name for field in fields(rows[0])]
    _print(names, (tuple(_figure(getattr(row, name)) for name in names) for row in rows))


def print_aims(aims: Iterable[Aim]) -> None:
    """Which ratios are as they are to be."""
    rows = (("✓" if one.held else "✗", one.ratio, _figure(one.found), one.aim) for one in aims)
    _print(("", "ratio", "found", "aim"), rows)


def print_steps(steps: Iterable[Step]) -> None:
    """How the steps of the demo went."""
    _print(("", "step", "seconds"), ((step.mark, step.title, f"{step.seconds:.2f}") for step in steps))


def print_settings(found: Iterable[Row]) -> None:
    """Every setting."""
    columns = ("variable", "value", "from", "allowed", "what it is")
    _print(columns, ((row.variable, row.value, row.origin, row.allowed, row.help) for row in found))


def print_applications(found: Iterable[Held], *, as_json: bool) -> None:
    """Every application with its ids and roles."""
    names = {"name": "name", "clientId": "client", "objectId": "object_id"}
    _print_held(found, names, as_json=as_json)


def print_application(client: str, secret: str | None, object_id: str, *, as_json: bool) -> None:
    """A new application with its secret, which is shown this once; None where it proves itself otherwise."""
    _print_made({"clientId": client, "clientSecret": secret, "objectId": object_id}, as_json=as_json)


def print_credentials(found: Iterable[Credential], *, as_json: bool) -> None:
    """What an application proves itself with."""
    rows = [
        {
            "id": one.id,
            "kind": one.kind,
            "what": one.what,
            "created": one.created.isoformat(),
            "expires": one.expires.isoformat() if one.expires else None,
        }
        for one in found
    ]
    if as_json:
        _print_json(rows)
        return
    _print(
        ("id", "kind", "what", "created", "expires"),
        (tuple(str(value or "") for value in row.values()) for row in rows),
    )


def print_credential(id_: str, secret: str | None, *, as_json: bool) -> None:
    """A new credential; a secret is shown this once."""
    _print_made({"id": id_} | ({"clientSecret": secret} if secret else {}), as_json=as_json)


def print_users(found: Iterable[Held], *, as_json: bool) -> None:
    """Every user with their ids and roles."""
    names = {"userPrincipalName": "client", "displayName": "name", "objectId": "object_id"}
    _print_held(found, names, as_json=as_json)


def print_user(name: str, password: str | None, object_id: str, *, as_json: bool) -> None:
    """A user; with the password where it was made up, which is shown this once."""
    _print_made({"userPrincipalName": name, "password": password, "objectId": object_id}, as_json=as_json)


def print_holders(found: Iterable[Holder], *, as_json: bool) -> None:
    """Who gets a workspace's keys, and by what."""
    rows = [
        {
            "principal": one.principal.name,
            "kind": str(one.principal.kind),
            "clientId": one.principal.client,
            "objectId": one.principal.object_id,
            "role": one.role,
            "scope": one.scope,
            "action": one.action,
            "lockedBy": list(one.locks),
        }
        for one in found
    ]
    if as_json:
        _print_json(rows)
        return
    columns = ("principal", "kind", "objectId", "role", "scope", "action")
    _print(
        (*columns, "locked by"), ((*(str(row[name]) for name in columns), " ".join(row["lockedBy"])) for row in rows)
    )


def print_faults(found: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    """Faults on purpose, and how often each struck."""
    rows = [{"name": one["name"], **one["properties"]} for one in found]
    if as_json:
        _print_json(rows)
        return
    columns = ("name", "fault", "method", "path", "client", "chance", "count", "struck", "seconds")
    _print(columns, (tuple(str(row.get(name, "")) for name in columns) for row in rows))


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _print_held(found: Iterable[Held], names: Mapping[str, str], *, as_json: bool) -> None:
    """Principals with the roles that they hold; `names` says what is shown of one, and under which name."""
    held = [({shown: getattr(one.principal, name) for shown, name in names.items()}, one.roles) for one in found]
    if as_json:
        _print_json([who | {"roles": [{"role": role, "scope": at} for role, at in roles]} for who, roles in held])
        return
    told = ((*who.values(), ", ".join(f"{role} at {at}" for role, at in roles)) for who, roles in held)
    _print((*names, "roles"), told)


def _print_made(made: Mapping[str, str | None], *, as_json: bool) -> None:
    """What was made, with what is shown this once; the table leaves out what is not there."""
    if as_json:
        _print_json(made)
        return
    _print(("", "value"), ((name, value) for name, value in made.items() if value is not None))


def _figure(value: object) -> str:
    return "" if value is None else str(value)


def _print(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")  # a value that does not fit is continued, never cut
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else _UNBROKEN
    Console(width=width, markup=False, emoji=False, highlight=False).print(table)


def _masked(value: Any) -> Any:
    """The same shape, with every text that may be a secret hidden; what is null stays null."""
    if isinstance(value, dict):
        return {name: item if _is_open(value, name) else _masked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return None if value is None else _MASK


def _is_open(holder: dict[str, Any], name: str) -> bool:
    return name in _OPEN and not isinstance(holder[name], dict | list)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its path; a password's own name ends its path."""
    if isinstance(value, dict) and value.keys() == {"name", "value"}:
        yield f"{path}.{value['name']}", value["value"]
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path, value
