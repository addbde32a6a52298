"""What the token service refuses, in OAuth's word and in Entra's number and sentence.

The numbers and most sentences are those of Microsoft's "Microsoft Entra authentication and authorization error codes"
and of answers of the real service that stand in public issue reports. Texts that come from a caller are cut short and
rid of control characters before they are repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.faults import HEADER, retry_after

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.model import Fault

_LONGEST_QUOTE = 256


class Denied(Exception):
    """A request to the token service is refused; `number` is what follows `AADSTS`, `error` is OAuth's word for it."""

    def __init__(self, error: str, number: int, message: str, status: int = 400) -> None:
        super().__init__(f"AADSTS{number}: {message}")
        self.error = error
        self.number = number
        self.message = message
        self.status = status
        self.headers: tuple[tuple[str, str], ...] = ()
        self.recorded = False
        """Set where its entry is on the trail already, in the commit that it came with."""

    @property
    def code(self) -> str:
        """How the trail names it."""
        return f"AADSTS{self.number}"


def quoted(text: str) -> str:
    """What a caller sent, fit to be repeated in a sentence, a log or an entry of the trail."""
    return "".join(letter for letter in text[:_LONGEST_QUOTE] if letter.isprintable())


# ── the request ─────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── the tenant ──────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── the client ──────────────────────────────────────────────────────────────────────────────────────────────────────


def client_unknown(client: str, tenant: str) -> Denied:
    return Denied(
        "unauthorized_client",
        700016,
        f"Application with identifier '{quoted(client)}' was not found in the directory '{tenant}'. This can happen if "
        "the application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
    )


def client_disabled(client: str, name: str) -> Denied:
    return Denied("unauthorized_client", 7000112, f"Application '{quoted(client)}'({quoted(name)}) is disabled.")


def secret_missing(grant_type: str) -> Denied:
    message = f"'client_assertion', 'client_secret' or 'request' is required for the '{grant_type}' grant type."
    return Denied("invalid_client", 7000216, message, 401)


def secret_wrong(client: str) -> Denied:
    return Denied(
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        f"the client secret ID, for a secret added to app '{quoted(client)}'.",
        401,
    )


def secret_expired(client: str) -> Denied:
    return Denied(
        "invalid_client",
        7000222,
        f"The provided client secret keys for app '{quoted(client)}' are expired. Visit the Azure portal to create new "
        "keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added "
        "security: https://aka.ms/certCreds.",
        401,
    )


# ── assertions ──────────────────────────────────────────────────────────────────────────────────────────────────────

_REVIEW = "Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."
_FEDERATION = (
    "Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)


def assertion_malformed(why: str = "") -> Denied:
    return Denied("invalid_client", 50027, f"JWT token is invalid or malformed. {why}".strip(), 401)


def assertion_repeated() -> Denied:
    return assertion_malformed("The assertion was presented before, and counts once.")


def assertion_subject_wrong() -> Denied:
    message = "Client assertion application identifier doesn't match 'client_id' parameter."
    return Denied("invalid_client", 700021, f"{message} {_REVIEW}", 401)


def assertion_audience_wrong() -> Denied:
    message = "Client assertion audience claim does not match Realm issuer."
    return Denied("invalid_client", 700023, f"{message} {_REVIEW}", 401)


def assertion_untimely(now: datetime, begins: datetime | None, ends: datetime | None) -> Denied:
    said = ", ".join(
        f"{what} {_moment(moment) if moment else 'missing or unreadable'}"
        for what, moment in (("assertion valid from", begins), ("expiry time of assertion", ends))
    )
    message = f"Client assertion is not within its valid time range. Current time: {_moment(now)}, {said}."
    return Denied("invalid_client", 700024, f"{message} {_REVIEW}", 401)


def assertion_signature_wrong(client: str, why: str, thumbprint: str) -> Denied:
    what = (
        "Client assertion failed signature validation."
        if "signature" in why
        else "The certificate with identifier used to sign the client assertion is not registered on application."
    )
    key = f", Thumbprint of key used by client: '{thumbprint}'" if thumbprint else ""
    hint = f", `linarite app credential list {quoted(client)}` shows the configured keys" if client else ""
    return Denied("invalid_client", 700027, f"{what} [Reason - {why}{key}{hint}]", 401)


def federated_issuer_unknown(issuer: str) -> Denied:
    message = f"No matching federated identity record found for presented assertion issuer '{quoted(issuer)}'."
    return Denied("invalid_client", 700211, f"{message} {_FEDERATION}", 401)


def federated_audience_unknown(audience: str) -> Denied:
    message = f"No matching federated identity record found for presented assertion audience '{quoted(audience)}'."
    return Denied("invalid_client", 700212, f"{message} {_FEDERATION}", 401)


def federated_subject_unknown(subject: str) -> Denied:
    message = f"No matching federated identity record found for presented assertion subject '{quoted(subject)}'."
    return Denied("invalid_client", 700213, f"{message} {_FEDERATION}", 401)


def federated_key_unknown(kid: str, issuer: str) -> Denied:
    message = (
        f"The certificate with identifier {quoted(kid)} used to sign the federated credential could not be found in "
        f"the metadata of identity provider {quoted(issuer)}. Please validate that your Identity Provider's metadata "
        "exposes the key used to sign the incoming token."
    )
    return Denied("invalid_client", 7000272, message, 401)


def federated_issuer_down(why: str) -> Denied:
    message = f"Request to External OIDC endpoint failed. {quoted(why)}"
    return Denied("temporarily_unavailable", 90061, message, 503)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# ── what is asked for ───────────────────────────────────────────────────────────────────────────────────────────────


def scope_invalid(scope: str) -> Denied:
    return Denied(
        "invalid_scope",
        70011,
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter "
        f"'scope' is not valid. The scope {quoted(scope)} is not valid.",
    )


def scope_not_default(scope: str) -> Denied:
    return Denied(
        "invalid_scope",
        1002012,
        f"The provided value for scope {quoted(scope)} is not valid. Client credential flows must have a scope value "
        "with /.default suffixed to the resource identifier (application ID URI).",
    )


def resource_parameter_unsupported() -> Denied:
    return Denied("invalid_request", 901002, "The 'resource' request parameter is not supported.")


def resource_unknown(resource: str, tenant: str) -> Denied:
    return Denied(
        "invalid_resource",
        500011,
        f"The resource principal named {quoted(resource)} was not found in the tenant named {tenant}. This can happen "
        "if the application has not been installed by the administrator of the tenant or consented to by any user in "
        "the tenant. You might have sent your authentication request to the wrong tenant.",
    )


def resources_several(scope: str) -> Denied:
    message = (
        f"Provided value for the input parameter scope '{quoted(scope)}' is not valid because it contains more than "
        "one resource."
    )
    return Denied("invalid_scope", 28000, message)


def permission_unknown(permission: str, resource: str) -> Denied:
    message = (
        f"The application asked for scope '{quoted(permission)}' that doesn't exist on the resource "
        f"'{quoted(resource)}'. "
        "Contact the app vendor."
    )
    return Denied("invalid_client", 650053, message)


# ── the server itself ───────────────────────────────────────────────────────────────────────────────────────────────


def unavailable(status: int = 503) -> Denied:
    return Denied("temporarily_unavailable", 90006, "The service is temporarily unavailable. Please try again.", status)


def disturbed(fault: Fault) -> Denied | None:
    """What a fault on purpose refuses a request with; None where it goes on."""
    match fault.what:
        case "429":
            found = throttled()
        case "500":
            found = broken()
        case "502" | "503" | "504":
            found = unavailable(int(fault.what))
        case _:
            return None
    found.headers = ((HEADER, fault.name), *retry_after(fault))
    return found


def throttled() -> Denied:
    message = "There are too many incoming requests. Please try again later."
    return Denied("temporarily_unavailable", 90055, message, 429)


def broken() -> Denied:
    return Denied(
        "server_error", 50000, "There was an error issuing a token or an issue with our sign-in service.", 500
    )
