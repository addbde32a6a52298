"""Microsoft.ContainerRegistry/registries: an admin user with two passwords, once it is enabled.

Facts: the Container Registry provider's specification 2023-07-01; password format from Microsoft's "security-utilities"
(SEC101/176): 39 bytes in base64, `+ACR` at character 42, then one of A to D.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from linarite.errors import BadRequest, Conflict
from linarite.kind import Action, Created, Effect, Kind, NameRule, Versions
from linarite.kinds.fields import (
    IDENTITY,
    LOCATION,
    PRIVATE_ENDPOINT_CONNECTIONS,
    PROVISIONING_STATE,
    SYSTEM_DATA,
    TAGS,
    read_only,
    sku,
)
from linarite.kinds.names import check_availability, is_taken
from linarite.model import Secret
from linarite.moments import written
from linarite.schema import Field, Flag, Free, Object, Text, Time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from linarite.errors import Problem
    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

TYPE = "Microsoft.ContainerRegistry/registries"
PASSWORDS = ("password", "password2")

_LIMITS = {"Classic": (10, 2), "Basic": (10, 2), "Standard": (100, 10), "Premium": (500, 500)}
"""Storage in GiB and webhooks that a SKU includes (Microsoft's "Container Registry SKU features and limits")."""

_POLICIES = {
    "quarantinePolicy": {"status": "disabled"},
    "trustPolicy": {"type": "Notary", "status": "disabled"},
    "retentionPolicy": {"days": 7, "status": "disabled"},
    "exportPolicy": {"status": "enabled"},
}

_PROPERTIES = Object(
    (
        read_only("creationDate", Time()),
        PROVISIONING_STATE,
        Field(name="adminUserEnabled", shape=Flag(), default=False),
        Field(name="policies", shape=Free(), default=_POLICIES),
        Field(name="encryption", shape=Free(), default={"status": "disabled"}),
        Field(name="dataEndpointEnabled", shape=Flag(), default=False),
        Field(name="publicNetworkAccess", shape=Text(words=("Enabled", "Disabled")), default="Enabled"),
        Field(name="networkRuleBypassOptions", shape=Text(words=("AzureServices", "None")), default="AzureServices"),
        Field(name="zoneRedundancy", shape=Text(words=("Enabled", "Disabled")), default="Disabled"),
        Field(name="anonymousPullEnabled", shape=Flag(), default=False),
        PRIVATE_ENDPOINT_CONNECTIONS,
    ),
    open=True,
)


def new_password(random: Callable[[int], bytes]) -> Secret:
    """A password of today's format: 52 characters of base64, marked in the middle."""
    text = base64.b64encode(random(39)).decode()
    return Secret(f"{text[:42]}+ACR{'ABCD'[random(1)[0] % 4]}{text[47:]}")


def login_server(reading: Reading, name: str) -> str:
    """Where images go: our door where it is open, else Azure's own name."""
    return reading.options.endpoints.get("registry", "").partition("://")[2] or f"{name.lower()}.azurecr.io"


def _prepare(work: Writing, _: ResourceId, draft: Body, before: Resource | None) -> None:
    draft["sku"]["tier"] = draft["sku"]["name"]
    if before is None:
        properties = draft.setdefault("properties", {})
        properties["creationDate"] = written(work.now)


def _check(work: Writing, id_: ResourceId, _: Body, before: Resource | None) -> Iterable[Problem]:
    if before is None and is_taken(work, TYPE, id_.name):
        raise Conflict("AlreadyInUse", _taken(id_.name))
    return ()


def _taken(name: str) -> str:
    return (
        f"The registry DNS name {name.lower()}.azurecr.io is already in use. You can check if the name is already "
        "claimed using following API: "
        "https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability"
    )


def _created(work: Writing, registry: Resource) -> None:
    for name in PASSWORDS:
        work.keep(registry.id, name, new_password(work.random))


def _present(reading: Reading, registry: Resource, shown: Body) -> Body:
    shown["properties"]["loginServer"] = login_server(reading, registry.name)
    return shown


def _list_credentials(reading: Reading, registry: Resource, _: Body) -> Any:
    if not registry.properties.get("adminUserEnabled"):
        raise BadRequest(
            "UnAuthorizedForCredentialOperations",
            f"Cannot perform credential operations for {registry.id.text} as admin user is disabled. Kindly enable "
            "admin user as per docs: "
            "https://docs.microsoft.com/en-us/azure/container-registry/container-registry-authentication#admin-account",
        )
    secrets = reading.secrets(registry)
    passwords = [{"name": name, "value": secrets.get(name)} for name in PASSWORDS]
    return {"username": registry.name, "passwords": passwords}


def _regenerate_credential(work: Writing, registry: Resource, body: Body) -> Any:
    """Make one password anew; where the admin user is disabled, the refusal takes the new one back with it."""
    work.keep(registry.id, body["name"], new_password(work.random))
    return _list_credentials(work, registry, {})


def _list_usages(reading: Reading, registry: Resource, _: Body) -> Any:
    del reading
    gibibytes, webhooks = _LIMITS[registry.body["sku"]["name"]]
    return {
        "value": [
            {"name": "Size", "limit": gibibytes * 2**30, "currentValue": 0, "unit": "Bytes"},
            {"name": "Webhooks", "limit": webhooks, "currentValue": 0, "unit": "Count"},
        ]
    }


_NAME = NameRule(
    r"[a-zA-Z0-9]{5,50}",
    "Registry names may contain alpha numeric characters only and must be between 5 and 50 characters.",
)

CONTAINER_REGISTRIES = Kind(
    type=TYPE,
    versions=Versions(
        ("2017-10-01", "2019-05-01", "2021-09-01", "2022-12-01", "2023-01-01-preview", "2023-07-01", "2025-11-01"),
        any_dated=True,
    ),
    name=_NAME,
    fields=(
        sku(("Classic", "Basic", "Standard", "Premium")),
        LOCATION,
        TAGS,
        IDENTITY,
        Field(name="properties", shape=_PROPERTIES, default={}),
        SYSTEM_DATA,
    ),
    put=Created(new=201, again=200),
    prepare=_prepare,
    check=_check,
    created=_created,
    present=_present,
    actions=(
        Action(name="listCredentials", effect=Effect.RELEASE, run=_list_credentials),
        Action(
            name="regenerateCredential",
            effect=Effect.WRITE,
            run=_regenerate_credential,
            fields=(Field(name="name", shape=Text(words=PASSWORDS), required=True),),
        ),
        Action(name="listUsages", effect=Effect.READ, run=_list_usages, permission="listUsages/read", method="GET"),
    ),
    provider_actions=(
        check_availability(
            TYPE,
            _NAME,
            reason="Invalid",
            taken="The registry {name} is already in use.",
        ),
    ),
)
