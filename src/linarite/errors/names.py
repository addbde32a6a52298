"""Refusals of what a request is about, by its names alone: resources and their scopes, types, api-versions, methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.errors import BadRequest, Conflict, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable


def subscription_malformed(subscription: str) -> BadRequest:
    return BadRequest(
        "InvalidSubscriptionId", f"The provided subscription identifier '{subscription}' is malformed or invalid."
    )


def subscription_not_found(subscription: str) -> NotFound:
    return NotFound("SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def group_not_found(group: str) -> NotFound:
    return NotFound("ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def resource_not_found(type_and_name: str, group: str | None) -> NotFound:
    """`type_and_name` as in `Microsoft.X/things/name`; without a group the shorter sentence is sent."""
    where = f" under resource group '{group}'" if group else ""
    return NotFound(
        "ResourceNotFound",
        f"The Resource '{type_and_name}'{where} was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def parent_not_found(parent: str) -> NotFound:
    return NotFound(
        "ParentResourceNotFound",
        f"Can not perform requested operation on nested resource. Parent resource '{parent}' not found.",
    )


def identity_not_found(resource: str, identity: str) -> BadRequest:
    return BadRequest(
        "FailedIdentityOperation",
        f"Identity operation for resource '{resource}' failed with error 'Failed to perform resource identity "
        f"operation. Status: 'BadRequest'. Response: 'Resource '{identity}' was not found.'.'.",
    )


def namespace_unknown(namespace: str) -> NotFound:
    return NotFound("InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")


def type_unknown(namespace: str, version: str, supported: Iterable[str]) -> NotFound:
    return NotFound(
        "InvalidResourceType",
        f"The resource type could not be found in the namespace '{namespace}' for api version '{version}'. "
        f"The supported api-versions are '{','.join(supported)}'.",
    )


def path_unknown() -> NotFound:
    return NotFound("InvalidRequestUri", "The request URI does not name a resource, a collection or an action.")


def name_invalid(type_: str, name: str, rule: str) -> BadRequest:
    return BadRequest("InvalidResourceName", f"Resource name '{name}' of type '{type_}' is invalid. {rule}")


def method_not_allowed(method: str) -> NotAllowed:
    return NotAllowed("HttpMethodNotAllowed", f"The requested resource does not support http method '{method}'.")


def version_missing() -> BadRequest:
    return BadRequest(
        "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."
    )


def version_malformed(version: str, supported: Iterable[str]) -> BadRequest:
    return BadRequest(
        "InvalidApiVersionParameter",
        f"The api-version '{version}' is invalid. The supported versions are '{','.join(supported)}'.",
    )


def version_unknown(
    type_name: str, version: str, supported: Iterable[str], location: str, locations: Iterable[str]
) -> BadRequest:
    return BadRequest(
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location}' and API version '{version}' for type "
        f"'{type_name}'. The supported api-versions are '{', '.join(supported)}'. The supported locations are "
        f"'{', '.join(locations)}'.",
    )


def namespace_unregistered(namespace: str) -> Conflict:
    return Conflict(
        "MissingSubscriptionRegistration",
        f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how "
        "to register subscriptions.",
    )
