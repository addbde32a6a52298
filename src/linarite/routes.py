"""From a method and a path to a kind and a verb, by names alone.

Only the registry of kinds can tell a collection from an action (`…/workspaces/w/computes`, `…/workspaces/w/listKeys`).
Nothing is read from the store here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from linarite.errors.names import method_not_allowed, namespace_unknown, path_unknown, type_unknown
from linarite.ids import GROUP, PROVIDER, ROOT, SUBSCRIPTION, Address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.kind import Action, Kind

_ROOT_COLLECTIONS = {"subscriptions": SUBSCRIPTION, "tenants": "Microsoft.Resources/tenants", "providers": PROVIDER}
_SUBSCRIPTION_COLLECTIONS = {
    "resourcegroups": GROUP,
    "locations": f"{SUBSCRIPTION}/locations",
    "providers": PROVIDER,
    "resources": "Microsoft.Resources/resources",
}
_GROUP_COLLECTIONS = {"resources": "Microsoft.Resources/resources", "providers": PROVIDER}
_WITH_PROVIDERS = {ROOT.type, SUBSCRIPTION, GROUP}
"""Scopes that have providers of their own; below them `providers` leads to extensions alone."""


class Verb(StrEnum):
    """What is to be done; the value is the last word of the operation's name."""

    GET = "read"
    LIST = "list"
    PUT = "write"
    PATCH = "patch"
    DELETE = "delete"
    ACT = "action"


_METHODS = {"GET": Verb.GET, "HEAD": Verb.GET, "PUT": Verb.PUT, "PATCH": Verb.PATCH, "DELETE": Verb.DELETE}
_WORDS = {Verb.GET: "read", Verb.LIST: "read", Verb.PUT: "write", Verb.PATCH: "write", Verb.DELETE: "delete"}


class Route(msgspec.Struct, frozen=True, gc=False):
    """What a request comes to. `id` is the resource, or for a list the scope that is listed."""

    verb: Verb
    kind: Kind
    id: ResourceId
    action: Action | None = None

    @property
    def operation(self) -> str:
        """Azure's name of the operation, which roles grant."""
        if self.action is not None:
            owner = self.kind.namespace if self.action in self.kind.provider_actions else self.kind.type
            return f"{owner}/{self.action.operation}"
        return f"{self.kind.permission_type}/{_WORDS[self.verb]}"

    @property
    def harm(self) -> str | None:
        """What a lock may forbid about it: `write`, `delete`, or nothing. Locks themselves are never locked."""
        if self.kind.is_lock or self.verb in {Verb.GET, Verb.LIST} or (self.action and self.action.method != "POST"):
            return None
        return "delete" if self.verb is Verb.DELETE else "write"


class Registry:
    """The kinds, by type and by namespace, letters in any case."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.kinds = tuple(kinds)
        self._by_type = {kind.type.lower(): kind for kind in self.kinds}
        self._namespaces = {kind.namespace.lower() for kind in self.kinds}

    def kind(self, type_: str) -> Kind | None:
        return self._by_type.get(type_.lower())

    def knows(self, namespace: str) -> bool:
        return namespace.lower() in self._namespaces

    def of_namespace(self, namespace: str) -> list[Kind]:
        return [kind for kind in self.kinds if kind.namespace.lower() == namespace.lower()]

    def provider_action(self, namespace: str, name: str) -> tuple[Kind, Action] | None:
        """An action on the provider itself, as `checkNameAvailability`."""
        for kind in self.of_namespace(namespace):
            for action in kind.provider_actions:
                if action.name.lower() == name.lower():
                    return kind, action
        return None

    def resolve(self, method: str, address: Address, version: str) -> Route:
        """What a request is about.

        Raises:
            NotFound: no such namespace, type or action.
            NotAllowed: the thing does not know the method.
        """
        if address.provider is not None:
            return self._resolve_provider(method, address, address.provider, version)
        if address.tail is None:
            if address.scope is ROOT:
                raise path_unknown()
            return self._resolve_resource(method, address.scope, version)
        return self._resolve_tail(method, address.scope, address.tail, version)

    def _resolve_provider(self, method: str, address: Address, namespace: str, version: str) -> Route:
        if not self.knows(namespace):
            raise namespace_unknown(namespace)
        provider = self._by_type[PROVIDER.lower()]
        if address.tail is None:
            if address.scope.type not in _WITH_PROVIDERS:
                raise path_unknown()
            return Route(_verb(method, provider), provider, address.scope.child(PROVIDER, namespace))
        if (kind := self.kind(f"{namespace}/{address.tail}")) is not None:
            return Route(_list(method, kind), kind, address.scope)
        if (found := self.provider_action(namespace, address.tail)) is not None:
            kind, action = found
            return Route(_act(method, action), kind, address.scope, action)
        if (own := provider.action(address.tail)) is not None:
            return Route(_act(method, own), provider, address.scope.child(PROVIDER, namespace), own)
        raise self._unknown(namespace, version)

    def _resolve_resource(self, method: str, id_: ResourceId, version: str) -> Route:
        kind = self._kind_of(id_, version)
        return Route(_verb(method, kind), kind, id_)

    def _resolve_tail(self, method: str, scope: ResourceId, tail: str, version: str) -> Route:
        collections = {ROOT.type: _ROOT_COLLECTIONS, SUBSCRIPTION: _SUBSCRIPTION_COLLECTIONS, GROUP: _GROUP_COLLECTIONS}
        type_ = collections.get(scope.type, {}).get(tail.lower(), f"{scope.type}/{tail}")
        if (kind := self.kind(type_)) is not None:
            return Route(_list(method, kind), kind, scope)
        if scope is ROOT:
            raise path_unknown()
        kind = self._kind_of(scope, version)
        if (action := kind.action(tail)) is not None:
            return Route(_act(method, action), kind, scope, action)
        raise self._unknown(scope.namespace, version)

    def _kind_of(self, id_: ResourceId, version: str) -> Kind:
        kind = self.kind(id_.type)
        if kind is not None and _stands(kind, id_):
            return kind
        if not self.knows(id_.namespace):
            raise namespace_unknown(id_.namespace)
        raise self._unknown(id_.namespace, version)

    def _unknown(self, namespace: str, version: str) -> Exception:
        kinds = self.of_namespace(namespace)
        listed = sorted({known for kind in kinds for known in kind.versions.listed}, reverse=True)
        return type_unknown(namespace, version, listed)


def _stands(kind: Kind, id_: ResourceId) -> bool:
    """Whether an id is where resources of the kind are: a storage account stands in a group, and nowhere else."""
    where = {"": GROUP, "/": ROOT.type}.get(kind.parent, kind.parent)
    return where == "*" or (id_.parent or ROOT).type.lower() == where.lower()


def _verb(method: str, kind: Kind) -> Verb:
    if method not in _METHODS or ("GET" if method == "HEAD" else method) not in kind.methods:
        raise method_not_allowed(method)
    return _METHODS[method]


def _list(method: str, kind: Kind) -> Verb:
    if method not in {"GET", "HEAD"} or not kind.lists:
        raise method_not_allowed(method)
    return Verb.LIST


def _act(method: str, action: Action) -> Verb:
    if method != action.method:
        raise method_not_allowed(method)
    return Verb.ACT
