"""What is refused of a request as such: its parameters, its method, where it was sent, and to which tenant."""

from __future__ import annotations

from linarite.grants.denied import Denied, quoted


def parameter_missing(name: str) -> Denied:
    return Denied(
        "invalid_request", 900144, f"The request body must contain the following parameter: '{quoted(name)}'."
    )


def parameter_duplicated(name: str) -> Denied:
    message = f"The request is not properly formatted. The parameter '{quoted(name)}' is duplicated."
    return Denied("invalid_request", 9000411, message)


def request_malformed(why: str = "", status: int = 400) -> Denied:
    return Denied(
        "invalid_request", 9002313, f"Invalid request. Request is malformed or invalid. {why}".strip(), status
    )


def method_wrong(accepted: str, received: str) -> Denied:
    message = f"The endpoint only accepts {accepted} requests. Received a {quoted(received)} request."
    return Denied("invalid_request", 900561, message, 405)


def address_unknown(path: str) -> Denied:
    return request_malformed(f"The token service has nothing at '{quoted(path)}'.", 404)


def grant_unsupported(grant_type: str) -> Denied:
    message = f"The app requested an unsupported grant type '{quoted(grant_type)}'."
    return Denied("unsupported_grant_type", 70003, message)


def response_unsupported(response_type: str) -> Denied:
    message = f"response_type '{quoted(response_type)}' is not enabled for the application."
    return Denied("unsupported_response_type", 700054, message)


def tenant_unknown(tenant: str) -> Denied:
    return Denied(
        "invalid_request",
        90002,
        f"Tenant '{quoted(tenant)}' not found. Check to make sure you have the correct tenant ID and are signing into "
        "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    )


def tenant_malformed(tenant: str) -> Denied:
    return Denied(
        "invalid_request",
        900023,
        f"Specified tenant identifier '{quoted(tenant)}' is neither a valid DNS name, nor a valid external domain.",
    )


def instance_unknown() -> Denied:
    return Denied("invalid_instance", 50049, "Unknown or invalid instance.")
