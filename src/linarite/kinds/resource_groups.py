"""Microsoft.Resources/resourceGroups, and the lists of everything inside one, or inside a subscription."""

from __future__ import annotations

from linarite.ids import GROUP, SUBSCRIPTION
from linarite.kind import Created, Kind, NameRule, Versions
from linarite.kinds.fields import LOCATION, PROVISIONING_STATE, TAGS
from linarite.schema import Field, Id, Object

_VERSIONS = Versions(
    ("2018-05-01", "2019-10-01", "2020-06-01", "2021-04-01", "2022-09-01", "2024-11-01"), any_dated=True
)

RESOURCE_GROUPS = Kind(
    type=GROUP,
    versions=_VERSIONS,
    parent=SUBSCRIPTION,
    operations_type="Microsoft.Resources/subscriptions/resourceGroups",
    name=NameRule(
        r"[-\w.()]{0,89}[-\w()]",
        "Resource group names are up to 90 characters long: letters, digits, '-', '_', '.', '(' and ')', and end with "
        "no period.",
    ),
    fields=(
        LOCATION,
        TAGS,
        Field(name="managedBy", shape=Id(), immutable=True),
        Field(name="properties", shape=Object((PROVISIONING_STATE,)), default={}),
    ),
    put=Created(new=201, again=200),
    delete_long=True,
    progress="operationresults",
)

RESOURCES = Kind(
    type="Microsoft.Resources/resources",
    versions=_VERSIONS,
    fields=(),
    parent="*",
    operations_type="Microsoft.Resources/subscriptions/resources",
    tracked=False,
    methods=frozenset(),
    is_mixture=True,
)
"""Top-level resources of every type, as `GET …/resources` lists them."""
