"""Microsoft.Authorization/locks, at every scope (2016-09-01): what nobody may delete, or change at all."""

from __future__ import annotations

from linarite.kind import Created, Kind, NameRule, Versions
from linarite.kinds.fields import SYSTEM_DATA
from linarite.schema import Field, Free, Listed, Object, Text

TYPE = "Microsoft.Authorization/locks"

LOCKS = Kind(
    type=TYPE,
    versions=Versions(("2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"), any_dated=True),
    name=NameRule(r"[^<>%&:\\?/#+]{1,90}", "Lock names are 1 to 90 characters long, without any of <>%&:\\?/#+."),
    fields=(
        Field(
            name="properties",
            required=True,
            shape=Object(
                (
                    Field(name="level", shape=Text(words=("CanNotDelete", "ReadOnly")), required=True),
                    Field(name="notes", shape=Text(longest=512)),
                    Field(name="owners", shape=Listed(Free())),
                )
            ),
        ),
        SYSTEM_DATA,
    ),
    parent="*",
    tracked=False,
    methods=frozenset({"GET", "PUT", "DELETE"}),
    put=Created(new=201, again=200),
    scoped=True,
    is_lock=True,
)
