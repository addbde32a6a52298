"""What is refused of what a token is asked for: scopes, resources and permissions."""

from __future__ import annotations

from linarite.grants.denied import Denied, quoted


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
        f"'{quoted(resource)}'. Contact the app vendor."
    )
    return Denied("invalid_client", 650053, message)
