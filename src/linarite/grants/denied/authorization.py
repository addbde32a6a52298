"""What is refused of an authorization request, as a browser brings it."""

from __future__ import annotations

from linarite.grants.denied import Denied, quoted


def redirect_missing() -> Denied:
    return Denied("invalid_request", 900971, "No reply address provided.")


def redirect_unregistered(redirect: str, client: str) -> Denied:
    message = (
        f"The redirect URI '{quoted(redirect)}' specified in the request does not match the redirect URIs "
        f"configured for the application '{quoted(client)}'. Make sure the redirect URI sent in the request matches "
        "one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to "
        "learn more about how to troubleshoot this."
    )
    return Denied("invalid_request", 50011, message)


def response_mode_unsupported(mode: str) -> Denied:
    message = f"'{quoted(mode)}' is not a supported value of 'response_mode' for what is requested."
    return Denied("invalid_request", 70007, message)


def prompt_unsupported(prompt: str) -> Denied:
    return Denied("invalid_request", 90023, f"Unsupported 'prompt' value '{quoted(prompt)}'.")


def challenge_unsupported(why: str) -> Denied:
    return Denied("invalid_request", 501491, f"The code_challenge cannot be used: {why}")


def challenge_missing() -> Denied:
    message = "Proof Key for Code Exchange is required for an application without a secret."
    return Denied("invalid_request", 9002325, message)
