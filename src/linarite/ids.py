"""Resource ids: what a path of Azure Resource Manager names, without asking anybody.

`/subscriptions/{s}/resourceGroups/{g}/providers/{namespace}/{type}/{name}/{type}/{name}` and its extensions
(`{id}/providers/Microsoft.Authorization/roleAssignments/{name}`). Ids are compared by `key`, which is lower-case, and
written as `text`, which keeps the spelling of the creator; `resourceGroups` and `subscriptions` are always written so.
This module decides nothing about which types exist.
"""

from __future__ import annotations

import re
from functools import lru_cache
from sys import intern
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from lru import LRU

from linarite.errors import BadRequest
from linarite.errors.names import subscription_malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUBSCRIPTION = "Microsoft.Resources/subscriptions"
GROUP = "Microsoft.Resources/resourceGroups"
PROVIDER = "Microsoft.Resources/providers"

LONGEST_PATH = 4096
LONGEST_SEGMENT = 260
"""ARM names are at most 260 characters long."""

_REMEMBERED = 16_384
"""Paths and scopes that were read of late."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffd]")


def is_guid(text: str) -> bool:
    """Whether the text is a GUID in its dashed form."""
    return _GUID.fullmatch(text) is not None


def new_guid(random: Callable[[int], bytes]) -> str:
    """A GUID of version 4, of 16 bytes that `random` gives."""
    return str(UUID(bytes=random(16), version=4))


class ResourceId(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The id of one resource; `parent` is the enclosing resource or scope, None only for the tenant's root."""

    parent: ResourceId | None
    type: str
    """Full type, as in `Microsoft.Storage/storageAccounts/blobServices`; empty for the root."""
    name: str
    text: str
    key: str
    """The lower-cased text: ids are equal when their keys are."""
    keys: tuple[str, ...]
    """This key and those of every scope above, innermost first, the root's last."""

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, ResourceId) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.text

    @property
    def namespace(self) -> str:
        return self.type.partition("/")[0]

    def scopes(self) -> Iterator[ResourceId]:
        """This id and every scope above it, innermost first, the root last."""
        here: ResourceId | None = self
        while here is not None:
            yield here
            here = here.parent

    def within(self, type_: str) -> ResourceId | None:
        """The enclosing scope of that type, or None: `id.within(GROUP)`."""
        wanted = type_.lower()
        here: ResourceId | None = self
        while here is not None and here.type.lower() != wanted:
            here = here.parent
        return here

    @property
    def subscription(self) -> str | None:
        found = self.within(SUBSCRIPTION)
        return found.name if found else None

    @property
    def group(self) -> str | None:
        found = self.within(GROUP)
        return found.name if found else None

    def child(self, type_: str, name: str) -> ResourceId:
        """The id of a resource directly below this one.

        `type_` is full. A type that continues this one's (`A/b` below, `A/b/c` given) becomes `/c/name`; any other is
        an extension, or a top-level resource of a group, and becomes `/providers/A/x/name`.
        """
        lower = type_.lower()
        if lower == SUBSCRIPTION.lower():
            text = f"{self.text.rstrip('/')}/subscriptions/{name}"
        elif lower == GROUP.lower():
            text = f"{self.text}/resourceGroups/{name}"
        elif lower == PROVIDER.lower():
            text = f"{self.text.rstrip('/')}/providers/{name}"
        elif self.type and lower.startswith(self.type.lower() + "/"):
            text = f"{self.text}{type_[len(self.type) :]}/{name}"
        else:
            text = f"{self.text.rstrip('/')}/providers/{type_}/{name}"
        key = text.lower()
        return ResourceId(self, type_, name, text, key, (key, *self.keys))


ROOT = ResourceId(None, "", "", "/", "/", ("/",))
"""The tenant: the scope above all subscriptions."""


class Address(msgspec.Struct, frozen=True, gc=False):
    """What a request path names: a scope, and perhaps a provider and one more word.

    `scope` alone is a resource. `tail` is a collection of child resources or an action, which only the kinds can tell
    apart. `provider` is set for `{scope}/providers/{namespace}[/{tail}]`.
    """

    scope: ResourceId
    provider: str | None = None
    tail: str | None = None


_scopes: LRU[str, ResourceId] = LRU(_REMEMBERED)
"""Scopes that paths named of late, by their text: the resource that is found there has the same id."""


def scope_of(text: str) -> ResourceId:
    """The id that a text of ours says, as it is kept in the database.

    Raises:
        BadRequest: as `parse` does.
    """
    try:
        return _scopes[text]
    except KeyError:
        return parse(text).scope


@lru_cache(maxsize=_REMEMBERED)
def parse(path: str) -> Address:
    """Read a decoded request path; doubled slashes count once.

    Raises:
        BadRequest: a control character, an over-long path or segment, or a subscription that is no GUID.
    """
    address = _read(path)
    _scopes[address.scope.text] = address.scope
    return address


def _read(path: str) -> Address:
    is_plain = path.isascii() and path.isprintable()
    if len(path) > LONGEST_PATH or (not is_plain and _CONTROL.search(path)):
        raise BadRequest("InvalidRequestUri", "The request URI is too long or has characters that are not allowed.")
    front, found, behind = path.partition("/providers/")
    scope, rest = _platform(front)
    if rest:
        scope, rest = _platform(path)
    elif found:
        rest = ("providers", *_words(behind))
    while rest and rest[0].lower() == "providers":
        if len(rest) == 1:
            return Address(scope, tail="providers")
        if len(rest) == 2:  # noqa: PLR2004
            return Address(scope, provider=rest[1])
        namespace, rest = rest[1], rest[2:]
        if len(rest) == 1:
            return Address(scope, provider=namespace, tail=rest[0])
        scope, rest = _resources(scope, namespace, rest)
    if len(rest) > 1:
        return Address(scope, tail="/".join(rest))
    return Address(scope, tail=rest[0] if rest else None)


def parse_id(text: str) -> ResourceId | None:
    """Read the id of a resource out of a body; None where the text is not one."""
    if not text.startswith("/"):
        return None
    try:
        address = parse(text)
    except BadRequest:
        return None
    return address.scope if address.provider is None and address.tail is None and address.scope is not ROOT else None


def _words(path: str) -> tuple[str, ...]:
    words = tuple(filter(None, path.split("/")))
    if len(path) > LONGEST_SEGMENT and max(map(len, words), default=0) > LONGEST_SEGMENT:
        raise BadRequest("InvalidRequestUri", f"A segment of the request URI is over {LONGEST_SEGMENT} characters.")
    return words


@lru_cache(maxsize=4096)
def _platform(path: str) -> tuple[ResourceId, tuple[str, ...]]:
    """Take `/subscriptions/{s}` and `/resourceGroups/{g}` off the front; the same group leads many paths."""
    scope, words = ROOT, _words(path)
    if len(words) > 1 and words[0].lower() == "subscriptions":
        if not is_guid(words[1]):
            raise subscription_malformed(words[1])
        scope, words = scope.child(SUBSCRIPTION, words[1]), words[2:]
        if len(words) > 1 and words[0].lower() == "resourcegroups":
            scope, words = scope.child(GROUP, words[1]), words[2:]
    return scope, words


def _resources(scope: ResourceId, namespace: str, words: tuple[str, ...]) -> tuple[ResourceId, tuple[str, ...]]:
    """Take `/{type}/{name}` pairs off the front, up to the next `providers`."""
    type_ = namespace
    first = True
    while len(words) > 1 and (first or words[0].lower() != "providers"):
        type_ = intern(f"{type_}/{words[0]}")
        scope, words, first = scope.child(type_, words[1]), words[2:], False
    return scope, words
