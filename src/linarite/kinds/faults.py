"""Linarite.Testing/faults, at the tenant alone: faults on purpose, for whoever tests how a client tries again.

No type of Azure's. It is served to callers on the server's own machine, is listed nowhere, and has no api-versions of
its own: any will do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from linarite.errors import Problem
from linarite.kind import Created, Kind, NameRule, Versions
from linarite.kinds.fields import SYSTEM_DATA, read_only
from linarite.schema import Field, Number, Object, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Writing

TYPE = "Linarite.Testing/faults"

REFUSALS = ("429", "500", "502", "503", "504")
WORDS = (*REFUSALS, "challenge", "delay", "cut", "lose")

_PROPERTIES = Object(
    (
        Field(name="fault", shape=Text(words=WORDS), required=True),
        Field(name="path", shape=Text(longest=1024), default="*"),
        Field(name="method", shape=Text(pattern=r"\*|[A-Za-z]{1,20}"), default="*"),
        Field(name="client", shape=Text(longest=256)),
        Field(name="chance", shape=Whole(1, 100), default=100),
        Field(name="count", shape=Whole(1)),
        Field(name="seconds", shape=Number(0, 600)),
        Field(name="claims", shape=Text(longest=4096)),
        read_only("struck", Whole()),
    )
)


def _prepare(work: Writing, id_: ResourceId, draft: Body, before: Resource | None) -> None:
    del id_, before
    properties = draft["properties"]
    properties["struck"] = 0
    if properties["fault"] in {"429", "delay"}:
        properties.setdefault("seconds", 1)
    if properties["fault"] == "challenge":
        since = {"essential": True, "value": str(int(work.now.timestamp()))}
        properties.setdefault("claims", json.dumps({"access_token": {"nbf": since}}))


def _check(work: Writing, id_: ResourceId, draft: Body, before: Resource | None) -> Iterable[Problem]:
    del work, id_, before
    try:
        fine = isinstance(json.loads(draft["properties"].get("claims", "{}")), dict)
    except ValueError:
        fine = False
    if not fine:
        yield Problem("properties.claims", "'properties.claims' must be a JSON object, as a string.")


FAULTS = Kind(
    type=TYPE,
    versions=Versions((), any_dated=True),
    name=NameRule(r"[A-Za-z0-9-]{1,64}", "Names of faults are 1 to 64 letters, digits and hyphens."),
    fields=(Field(name="properties", shape=_PROPERTIES, required=True), SYSTEM_DATA),
    parent="/",
    tracked=False,
    methods=frozenset({"GET", "PUT", "DELETE"}),
    lists=frozenset({"parent"}),
    prepare=_prepare,
    check=_check,
    put=Created(new=201, again=200),
    local=True,
)
