"""Refusals: what a caller did that cannot be granted, in Azure's own codes and words.

About ten classes say what kind of thing went wrong and fix the HTTP status; the code is data; the functions below them
hold Azure's sentences. Anything that is raised and is not a `Refusal` is a defect of ours. This module knows no HTTP
beyond the status number and nothing of stores, kinds or requests.

The sentences are those of the Azure Resource Manager gateway and of the resource providers, as quoted in Microsoft's
"Common deployment errors" pages and in public issue reports.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Origin = Literal["gateway", "provider", "workspaces"]
"""Who speaks: the Resource Manager front door, a provider behind it, or the provider of workspaces, which has an
envelope of its own."""

ALLOWED_AUDIENCES = (
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a body: where, which of Azure's codes, and a sentence."""

    target: str
    message: str
    code: str = "Invalid"


class Refusal(Exception):
    """The caller's request is refused; `status` comes from the class, everything else from the occasion."""

    status: ClassVar[int] = 400

    def __init__(
        self,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: Sequence[Problem] = (),
        origin: Origin = "gateway",
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.target = target
        self.details = tuple(details)
        self.origin = origin
        self.headers = tuple(headers)


class BadRequest(Refusal):
    """400: the request cannot be understood or breaks a rule of the type."""


class Unauthenticated(Refusal):
    """401: nobody is known to be calling."""

    status = 401


class Forbidden(Refusal):
    """403: somebody is calling, and may not."""

    status = 403


class NotFound(Refusal):
    """404: the thing named does not exist."""

    status = 404


class NotAllowed(Refusal):
    """405: the thing exists and does not know this method."""

    status = 405


class Conflict(Refusal):
    """409: the state of the thing does not allow it now."""

    status = 409


class TooLarge(Refusal):
    """413: the body is over the limit."""

    status = 413


class Unsupported(Refusal):
    """415: the body is of a media type that is not read here."""

    status = 415


class Throttled(Refusal):
    """429: too many requests; carries Retry-After."""

    status = 429


class Broken(Refusal):
    """500: the server is at fault."""

    status = 500


class BadGateway(Refusal):
    """502: who stands behind the gateway answers nonsense."""

    status = 502


class Unavailable(Refusal):
    """503: the server cannot serve this now, and the caller may try again."""

    status = 503


class TimedOut(Refusal):
    """504: who stands behind the gateway does not answer."""

    status = 504


class Cut(Refusal):
    """The connection is cut, and nothing is answered at all; the status is for the trail alone."""

    status = 503


# ── who is calling ──────────────────────────────────────────────────────────────────────────────────────────────────


def _challenge(authority: str, description: str, error: str = "invalid_token") -> tuple[tuple[str, str], ...]:
    text = f'Bearer authorization_uri="{authority}", error="{error}", error_description="{description}"'
    return (("www-authenticate", text),)


def token_missing(authority: str) -> Unauthenticated:
    """No Authorization header at all; `authority` is the URL where a token may be had."""
    return Unauthenticated(
        "AuthenticationFailed",
        "Authentication failed. The 'Authorization' header is missing.",
        headers=_challenge(authority, "The authentication failed because of missing 'Authorization' header."),
    )


def token_empty(authority: str) -> Unauthenticated:
    return Unauthenticated(
        "AuthenticationFailedMissingToken",
        "Authentication failed. The 'Authorization' header is missing the access token.",
        headers=_challenge(authority, "The access token is missing."),
    )


def token_scheme_unknown(authority: str) -> Unauthenticated:
    return Unauthenticated(
        "AuthenticationFailedInvalidHeader",
        "Authentication failed. The 'Authorization' header is provided in an invalid format.",
        headers=_challenge(authority, "The authentication scheme is not supported."),
    )


def token_invalid(authority: str) -> Unauthenticated:
    message = "The access token is invalid."
    return Unauthenticated("InvalidAuthenticationToken", message, headers=_challenge(authority, message))


def token_expired(authority: str, expiry: str, now: str) -> Unauthenticated:
    message = f"The access token expiry UTC time '{expiry}' is earlier than current UTC time '{now}'."
    return Unauthenticated("ExpiredAuthenticationToken", message, headers=_challenge(authority, message))


def token_audience_wrong(authority: str, audience: str, audiences: Iterable[str]) -> Unauthenticated:
    allowed = ",".join(f"'{known}'" for known in audiences)
    message = (
        f"The access token has been obtained for wrong audience or resource '{audience}'. "
        f"It should exactly match with one of the allowed audiences {allowed}."
    )
    header = _challenge(authority, "The access token has been obtained for wrong audience or resource.")
    return Unauthenticated("InvalidAuthenticationTokenAudience", message, headers=header)


def token_issuer_wrong(authority: str, issuer: str, expected: str) -> Unauthenticated:
    message = (
        f"The access token is from the wrong issuer '{issuer}'. It must match the tenant '{expected}' associated with "
        f"this subscription. Please use the authority (URL) '{authority}' to get the token. Note, if the subscription "
        "is transferred to another tenant there is no impact to the services, but information about new tenant could "
        "take time to propagate (up to an hour). If you just transferred your subscription and see this error message, "
        "please try back later."
    )
    header = _challenge(authority, "The access token is from the wrong issuer.")
    return Unauthenticated("InvalidAuthenticationTokenTenant", message, headers=header)


def issuer_unavailable(issuer: str) -> Unavailable:
    return Unavailable(
        "ServiceUnavailable",
        f"The keys of the issuer '{issuer}' of the access token cannot be had now. Please try again.",
        headers=(("retry-after", "10"),),
    )


def token_without_principal(authority: str) -> Unauthenticated:
    message = (
        "The received access token is not valid: at least one of the claims 'puid' or 'altsecid' or 'oid' should be "
        "present. If you are accessing as application please make sure service principal is properly created in the "
        "tenant."
    )
    header = _challenge(authority, "The received access token is not valid.")
    return Unauthenticated("InvalidAuthenticationToken", message, headers=header)


def authorization_failed(client: str, object_id: str, action: str, scope: str) -> Forbidden:
    return Forbidden(
        "AuthorizationFailed",
        f"The client '{client}' with object id '{object_id}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
    )


def scope_locked(scope: str, operation: str, locks: Iterable[str]) -> Conflict:
    """`operation` is `write` or `delete`."""
    return Conflict(
        "ScopeLocked",
        f"The scope '{scope}' cannot perform {operation} operation because following scope(s) are locked: "
        f"'{','.join(locks)}'. Please remove the lock and try again.",
    )


def identity_not_found(resource: str, identity: str) -> BadRequest:
    return BadRequest(
        "FailedIdentityOperation",
        f"Identity operation for resource '{resource}' failed with error 'Failed to perform resource identity "
        f"operation. Status: 'BadRequest'. Response: 'Resource '{identity}' was not found.'.'.",
    )


def linked_authorization_failed(
    client: str, object_id: str, action: str, scope: str, *, linked_action: str, linked: str
) -> Forbidden:
    return Forbidden(
        "LinkedAuthorizationFailed",
        f"The client '{client}' with object id '{object_id}' has permission to perform action '{action}' on scope "
        f"'{scope}'; however, it does not have permission to perform action(s) '{linked_action}' on the linked "
        f"scope(s) '{linked}' (respectively) or the linked scope(s) are invalid.",
    )


# ── what is named ───────────────────────────────────────────────────────────────────────────────────────────────────


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


def built_in(id_: str) -> BadRequest:
    """A role that comes with Azure is asked to go, or to be another one."""
    return BadRequest(
        "BuiltInRoleDefinition",
        f"The role definition '{id_}' is built in: it cannot be changed or deleted. Create a custom role instead.",
    )


# ── versions and registration ───────────────────────────────────────────────────────────────────────────────────────


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


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def body_unreadable(why: str) -> BadRequest:
    return BadRequest(
        "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{why}'."
    )


def body_too_large(limit: int) -> TooLarge:
    return TooLarge("RequestContentTooLarge", f"The request content is larger than the limit of {limit} bytes.")


def media_type_unsupported(media_type: str) -> Unsupported:
    return Unsupported(
        "UnsupportedMediaType",
        f"The content media type '{media_type}' is not supported. Only 'application/json' is supported.",
    )


def location_required() -> BadRequest:
    return BadRequest("LocationRequired", "The location property is required for this definition.")


def location_unavailable(location: str, type_: str, regions: Iterable[str]) -> BadRequest:
    return BadRequest(
        "LocationNotAvailableForResourceType",
        f"The provided location '{location}' is not available for resource type '{type_}'. List of available regions "
        f"for the resource type is '{','.join(regions)}'.",
    )


def location_fixed(name: str, group: str, present: str, wanted: str) -> Conflict:
    return Conflict(
        "InvalidResourceLocation",
        f"The resource '{name}' already exists in location '{present}' in resource group '{group}'. A resource with "
        f"the same name cannot be created in location '{wanted}'. Please select a new resource name.",
    )


def body_invalid(problems: Sequence[Problem], target: str) -> BadRequest:
    """Every problem of one body, refused together in the resource provider's envelope."""
    first = problems[0]
    message = first.message if len(problems) == 1 else f"{len(problems)} properties are invalid. {first.message}"
    return BadRequest("ValidationError", message, target=target, details=problems, origin="provider")


# ── the server itself ───────────────────────────────────────────────────────────────────────────────────────────────


def internal_error(correlation: str) -> Broken:
    return Broken(
        "InternalServerError",
        f"The server encountered an internal error. Please retry the request. The correlation id is '{correlation}'.",
    )


def throttled(bucket: str, scope: str, principal: str, wait: int) -> Throttled:
    """`bucket` as in `subscription-reads`, `scope` the id of that subscription or tenant, `wait` in seconds."""
    where, _, sort = bucket.removesuffix("s").partition("-")
    message = (
        f"Number of '{sort}' requests for {where} '{scope}' actor '{principal}' exceeded. Please try again after "
        f"'{wait}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for "
        "additional information."
    )
    headers = (("retry-after", str(wait)),)
    if where == "tenant":
        return Throttled("TenantRequestsThrottled", message, headers=headers)
    return Throttled("SubscriptionRequestsThrottled", message, headers=headers)


def server_sealed() -> Unavailable:
    return Unavailable(
        "ServiceUnavailable",
        "The server is sealed: its root key is not at hand. An operator must provide the root key.",
        headers=(("retry-after", "30"),),
    )


def server_busy() -> Unavailable:
    return Unavailable(
        "ServerBusy", "The server could not record this request now. Please try again.", headers=(("retry-after", "1"),)
    )


# ── faults on purpose ───────────────────────────────────────────────────────────────────────────────────────────────


def claims_wanted(authority: str, claims: str) -> Unauthenticated:
    """The challenge of Continuous Access Evaluation: `claims` is JSON that a new token is to be asked for with."""
    message = (
        "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
        "TokenIssuedBeforeRevocationTimestamp."
    )
    encoded = base64.b64encode(claims.encode()).decode()
    header = f'Bearer realm="", authorization_uri="{authority}", error="insufficient_claims", claims="{encoded}"'
    return Unauthenticated("InvalidAuthenticationToken", message, headers=(("www-authenticate", header),))


def gateway_bad(namespace: str) -> BadGateway:
    return BadGateway("BadGateway", f"The gateway received an invalid response from '{namespace}'.")


def service_unavailable() -> Unavailable:
    return Unavailable("ServiceUnavailable", "The service is unavailable now. Please try again.")


def gateway_timed_out(namespace: str) -> TimedOut:
    return TimedOut(
        "GatewayTimeout", f"The gateway did not receive a response from '{namespace}' within the specified time period."
    )


def cut() -> Cut:
    return Cut("ConnectionCut", "The connection is cut.")


def caller_remote() -> Forbidden:
    """For what is served to this machine alone."""
    return Forbidden("CallerNotLocal", "Faults are set from the server's own machine, over its loopback address.")
