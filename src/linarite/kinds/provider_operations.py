"""`GET /providers/{namespace}/operations`: what roles may grant, worked out from what the kinds declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.kind import Kind, Versions
from linarite.schema import Field, Flag, Free

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading

_WORDS = {"GET": ("read", "Gets"), "PUT": ("write", "Creates or updates"), "DELETE": ("delete", "Deletes")}


def operations_on(kind: Kind) -> dict[str, str]:
    """The operations that roles may grant on a kind, by name, with what to say of each."""
    words = [_WORDS[method] for method in _WORDS if method in kind.methods or (method == "GET" and kind.lists)]
    return {
        **{f"{kind.permission_type}/{word}": f"{verb} {kind.short_type}" for word, verb in words},
        **{f"{kind.permission_type}/{action.operation}": action.name for action in kind.actions},
        **{f"{kind.namespace}/{action.operation}": action.name for action in kind.provider_actions},
    }


class _Operations:
    """The operations of one namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        del reading, id_
        return None

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        for kind in reading.registry.of_namespace(self._namespace):
            if not kind.versions.listed:
                continue
            for name, said in operations_on(kind).items():
                yield self._row(scope, kind, name, said)

    def _row(self, scope: ResourceId, kind: Kind, name: str, said: str) -> tuple[ResourceId, Body]:
        display = {
            "provider": self._namespace.replace(".", " "),
            "resource": kind.short_type,
            "operation": said,
            "description": said,
        }
        return scope.child(f"{self._namespace}/operations", name), {"display": display, "isDataAction": False}


def _present(reading: Reading, operation: Resource, shown: Body) -> Body:
    del reading
    return {"name": operation.name, "display": shown["display"], "isDataAction": shown["isDataAction"]}


def operations_of(namespace: str, versions: Versions) -> Kind:
    """The kind that lists the operations of a namespace."""
    return Kind(
        type=f"{namespace}/operations",
        versions=Versions(versions.listed, any_dated=versions.any_dated),
        fields=(Field(name="display", shape=Free()), Field(name="isDataAction", shape=Flag())),
        tracked=False,
        methods=frozenset(),
        for_everybody=True,
        source=_Operations(namespace),
        present=_present,
    )
