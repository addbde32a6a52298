"""The vault's own words: codes and sentences of Azure's Key Vault, as recorded in the tests of Azure's SDKs.

The envelope is `{"error": {"code", "message", "innererror"?: {"code"}}}`; a refusal carries its inner code as a detail.
Where Azure's sentence is not known, it is ours, and the code is the one of its kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.errors import BadRequest, Conflict, Forbidden, NotFound, Problem, Refusal, TooLarge, Unauthenticated

if TYPE_CHECKING:
    from linarite.model import Body


class Broken(Refusal):
    """500: the fault is on this side."""

    status = 500


TOKEN_MISSING = "AKV10000: Request is missing a Bearer or PoP token."  # noqa: S105 - a sentence
TOKEN_EXPIRED = "[TokenExpired] Error validating token: 'S2S12086'."  # noqa: S105 - a sentence
TOKEN_UNKNOWN = "AKV10046: Unable to resolve the key used for signature validation."  # noqa: S105 - a sentence


def envelope(refusal: Refusal) -> Body:
    """The body of a refusal."""
    error: Body = {"code": refusal.code, "message": refusal.message}
    if refusal.details:
        error["innererror"] = {"code": refusal.details[0].code}
    return {"error": error}


def _inner(code: str) -> tuple[Problem]:
    return (Problem("", "", code),)


# ── who is calling ──────────────────────────────────────────────────────────────────────────────────────────────────


def unauthorized(message: str, authority: str, resource: str) -> Unauthenticated:
    """401 with the challenge: where a token is to be had, and for which resource."""
    challenge = f'Bearer authorization="{authority}", resource="{resource}"'
    return Unauthenticated("Unauthorized", message, headers=(("www-authenticate", challenge),))


def audience_wrong(expected: str, found: str) -> str:
    return f"AKV10022: Invalid audience. Expected {expected}, found: {found}."


def issuer_wrong(expected: str, found: str) -> str:
    return f"AKV10032: Invalid issuer. Expected one of {expected}, found {found}."


_PROPAGATION = (
    "If role assignments, deny assignments or role definitions were changed recently, please observe propagation time."
)


def forbidden_by_roles(caller: str, action: str, scope: str, vault: str) -> Forbidden:
    """`caller` is `appid=…;oid=…;iss=…`, `vault` is `name;location=…`."""
    lines = (
        "Caller is not authorized to perform action on resource.",
        _PROPAGATION,
        f"Caller: {caller}",
        f"Action: '{action}'",
        f"Resource: '{scope.lower()}'",
        "Assignment: (not found)",
        "DenyAssignmentId: null",
        "DecisionReason: null ",
        f"Vault: {vault}",
        "",
    )
    return Forbidden("Forbidden", "\r\n".join(lines), details=_inner("ForbiddenByRbac"))


def forbidden_by_policies(caller: str, permission: str, vault: str) -> Forbidden:
    return Forbidden(
        "Forbidden",
        f"The user, group or application '{caller}' does not have secrets {permission} permission on key vault "
        f"'{vault}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
        details=_inner("ForbiddenByPolicy"),
    )


# ── what is named ───────────────────────────────────────────────────────────────────────────────────────────────────


def not_served(what: str) -> NotFound:
    return NotFound("NotFound", f"'{what[:256]}' is nothing that is served here: vaults hold secrets.")


def vault_not_found(name: str) -> NotFound:
    """In Azure, the host name of a vault that is not there does not resolve."""
    return NotFound("VaultNotFound", f"A vault with the name {name[:256]} was not found.")


def secret_not_found(name: str, version: str = "") -> NotFound:
    named = f"{name}/{version}" if version else name
    return NotFound(
        "SecretNotFound",
        f"A secret with (name/id) {named} was not found in this key vault. If you recently deleted this secret you may "
        "be able to recover it using the correct recovery command. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125182",
    )


def deleted_secret_not_found(name: str) -> NotFound:
    return NotFound("SecretNotFound", f"Deleted Secret not found: {name}")


# ── what the state does not allow ───────────────────────────────────────────────────────────────────────────────────


def secret_disabled() -> Forbidden:
    return Forbidden(
        "Forbidden", "Operation get is not allowed on a disabled secret.", details=_inner("SecretDisabled")
    )


def secret_is_deleted(name: str) -> Conflict:
    return Conflict(
        "Conflict",
        f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, "
        "the secret can only be recovered or purged.",
        details=_inner("ObjectIsDeletedButRecoverable"),
    )


def secret_exists(name: str) -> Conflict:
    return Conflict("Conflict", f"A secret with the name {name} already exists in this key vault.")


def purge_protected(vault: str) -> Forbidden:
    return Forbidden(
        "Forbidden",
        'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will '
        f"automatically purge it after the retention period has passed.\r\nVault: {vault}",
    )


# ── what was sent ───────────────────────────────────────────────────────────────────────────────────────────────────


def bad_parameter(message: str) -> BadRequest:
    return BadRequest("BadParameter", message)


def unread(status: int, message: str) -> Refusal:
    """The body did not arrive."""
    return TooLarge("RequestBodyTooLarge", message) if status == TooLarge.status else bad_parameter(message)


# ── the server itself ───────────────────────────────────────────────────────────────────────────────────────────────


def broken(request: str) -> Refusal:
    """A defect of ours; the log has its trace under the request's id."""
    return Broken("InternalServerError", f"An internal server error occurred. The request id is '{request}'.")
