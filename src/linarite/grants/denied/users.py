"""What is refused where a user signs in, has to agree, or is stood for by an assertion."""

from __future__ import annotations

from linarite.grants.denied import Denied, quoted


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
        "(cookies; form fields; headers) between different requests or user sessions."
    )
    return Denied("invalid_request", 165000, message)


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
