"""What is refused where users sign in, in OAuth's word and in Entra's number and sentence; beside `denied`."""

from __future__ import annotations

from linarite.grants.denied import Denied, quoted

# ── users ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def password_wrong() -> Denied:
    """Also where there is no such user: nobody learns here who exists."""
    return Denied("invalid_grant", 50126, "Error validating credentials due to invalid username or password.")


def tried_too_often() -> Denied:
    message = "You've tried to sign in too many times with an incorrect user ID or password. Try again in a minute."
    return Denied("invalid_grant", 50053, message)


def token_unusable() -> Denied:
    return Denied("invalid_token", 50027, "The token is none that says who its user is.", 401)


def user_disabled() -> Denied:
    return Denied("invalid_grant", 50057, "The user account is disabled.")


def session_missing() -> Denied:
    return Denied("login_required", 50058, "Session information is not sufficient for single-sign-on.")


def consent_missing(client: str, name: str) -> Denied:
    message = (
        f"The user or administrator has not consented to use the application with ID '{quoted(client)}' named "
        f"'{quoted(name)}'. Send an interactive authorization request for this user and resource."
    )
    return Denied("consent_required", 65001, message)


def consent_declined() -> Denied:
    return Denied("access_denied", 65004, "User declined to consent to access the app.")


def request_forged() -> Denied:
    message = (
        "Invalid Request: The request tokens do not match the user context. Do not copy the user context values "
        "(cookies; "
        "form fields; headers) between different requests or user sessions."
    )
    return Denied("invalid_request", 165000, message)


# ── authorization requests ──────────────────────────────────────────────────────────────────────────────────────────


def redirect_missing() -> Denied:
    return Denied("invalid_request", 900971, "No reply address provided.")


def redirect_unregistered(redirect: str, client: str) -> Denied:
    message = (
        f"The redirect URI '{quoted(redirect)}' specified in the request does not match the redirect URIs "
        "configured for "
        f"the application '{quoted(client)}'. Make sure the redirect URI sent in the request matches one added to your "
        "application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about "
        "how to "
        "troubleshoot this."
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


# ── codes and refresh tokens ────────────────────────────────────────────────────────────────────────────────────────


def grant_invalid() -> Denied:
    return Denied("invalid_grant", 70000, "Provided grant is invalid or malformed.")


def grant_expired() -> Denied:
    message = (
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive "
        "authorization request for this user and resource."
    )
    return Denied("invalid_grant", 70008, message)


def grant_revoked() -> Denied:
    message = (
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have "
        "changed or reset their password."
    )
    return Denied("invalid_grant", 50173, message)


def code_redeemed() -> Denied:
    message = (
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh "
        "token."
    )
    return Denied("invalid_grant", 54005, message)


def redirect_changed(redirect: str) -> Denied:
    message = (
        f"The reply address '{quoted(redirect)}' does not match the reply address that was provided when requesting "
        "the authorization code."
    )
    return Denied("invalid_grant", 500112, message)


def verifier_wrong() -> Denied:
    message = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    return Denied("invalid_grant", 501481, message)


def client_unproven() -> Denied:
    message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    return Denied("invalid_client", 7000218, message, 401)


def client_public() -> Denied:
    message = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    return Denied("invalid_client", 700025, message, 401)


def user_assertion_wrong(why: str = "") -> Denied:
    return Denied("invalid_grant", 50013, f"Assertion failed signature validation. {why}".strip())


def user_assertion_ended() -> Denied:
    message = (
        "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for "
        "user assertion, or request a new token."
    )
    return Denied("invalid_grant", 500133, message)


def user_assertion_for_another(client: str, name: str) -> Denied:
    message = (
        "Assertion audience does not match the Client app presenting the assertion. The expected audience is "
        f"'{client}' or one of the Application Uris of this application with App ID '{client}'({quoted(name)})."
    )
    return Denied("invalid_grant", 500131, message)


# ── devices ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def device_pending() -> Denied:
    message = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
    return Denied("authorization_pending", 70016, message)


def device_hasty() -> Denied:
    message = "OAuth 2.0 device flow error. Authorization is pending. Poll no more often than the interval says."
    return Denied("slow_down", 70016, message)


def device_code_unknown() -> Denied:
    return Denied(
        "bad_verification_code", 70018, "The provided value for the input parameter 'device_code' is not valid."
    )


def device_code_expired() -> Denied:
    message = "The provided value for the input parameter 'device_code' is not valid. This device code has expired."
    return Denied("expired_token", 70020, message)


def device_declined() -> Denied:
    return Denied("authorization_declined", 65004, "User declined to consent to access the app.")
