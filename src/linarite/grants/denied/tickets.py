"""What is refused of what was handed out to be redeemed: codes, refresh tokens, and the codes of devices."""

from __future__ import annotations

from linarite.grants.denied import Denied, quoted


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
