"""What is refused of an application and the secret that it shows."""

from __future__ import annotations

from linarite.grants.denied import Denied, quoted


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


def client_public() -> Denied:
    message = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    return Denied("invalid_client", 700025, message, 401)


def client_unproven() -> Denied:
    message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    return Denied("invalid_client", 7000218, message, 401)


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
