"""What Microsoft Graph says when it refuses: its own codes and sentences, as its pages and public reports have them."""

from __future__ import annotations

from linarite.errors import BadRequest, Forbidden, NotAllowed, NotFound, Refusal, Unauthenticated

_TOKEN_TROUBLE = {
    "AuthenticationFailed": "Access token is empty.",
    "AuthenticationFailedMissingToken": "Access token is empty.",
    "AuthenticationFailedInvalidHeader": "Access token is empty.",
    "ExpiredAuthenticationToken": "Lifetime validation failed, the token is expired.",
    "InvalidAuthenticationTokenAudience": "Access token validation failure. Invalid audience.",
    "InvalidAuthenticationTokenTenant": "Access token validation failure. Invalid issuer.",
}


def token_refused(refusal: Unauthenticated) -> Unauthenticated:
    """What is wrong with a token, which Resource Manager has a code for, in Graph's words."""
    message = _TOKEN_TROUBLE.get(refusal.code, "Access token validation failure.")
    return Unauthenticated("InvalidAuthenticationToken", message, headers=refusal.headers)


def not_allowed(why: str = "") -> Forbidden:
    message = "Insufficient privileges to complete the operation."
    return Forbidden("Authorization_RequestDenied", f"{message} {why}" if why else message)


def not_found(id_: str) -> NotFound:
    return NotFound(
        "Request_ResourceNotFound",
        f"Resource '{id_}' does not exist or one of its queried reference-property objects are not present.",
    )


def segment_unknown(segment: str) -> BadRequest:
    return BadRequest("BadRequest", f"Resource not found for the segment '{segment}'.")


def method_unknown() -> NotAllowed:
    return NotAllowed("Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


def nobody_is_me() -> BadRequest:
    return BadRequest("BadRequest", "/me request is only valid with delegated authentication flow.")


def body_wrong(member: str, why: str) -> BadRequest:
    return BadRequest("Request_BadRequest", f"Invalid value specified for property '{member}': {why}")


def query_unsupported(why: str) -> BadRequest:
    return BadRequest("Request_UnsupportedQuery", f"Unsupported Query. {why}")


def property_unknown(name: str, type_: str) -> BadRequest:
    return BadRequest("BadRequest", f"Could not find a property named '{name}' on type 'microsoft.graph.{type_}'.")


def broken() -> Refusal:
    """A defect of ours; its status is 500."""
    return Refusal("InternalServerError", "The server encountered an internal error.")
