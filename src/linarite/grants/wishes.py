"""What an application wishes to do for a user: at which resource, with which scopes, and what it wants to know of them.

Everything here is decided from names alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from linarite.grants.ask import Endpoint, audience_of
from linarite.grants.denied.scopes import (
    permission_unknown,
    resource_parameter_unsupported,
    resources_several,
    scope_invalid,
)
from linarite.ids import is_guid

if TYPE_CHECKING:
    from linarite.grants.ask import Form
    from linarite.tokens import Authority

IMPERSONATION = "user_impersonation"
"""The scope with which an application does for a user what that user may do, the one that Resource Manager has."""

ABOUT = ("openid", "profile", "email", "offline_access")
"""Words that are about the user and the sign-in, and of no resource."""

ARM = "https://management.azure.com/"
GRAPH = "https://graph.microsoft.com"

_PERMISSION = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)*")


class Wish(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an application wishes to do for a user."""

    audience: str = ""
    """The resource, as the token will name it."""
    scopes: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    """Those of `ABOUT` that are wished."""

    @property
    def spoken(self) -> str:
        """The scopes as a token says them."""
        told = [word for word in self.about if word != "offline_access"] if self.audience == GRAPH else []
        return " ".join((*self.scopes, *told))

    @property
    def answered(self) -> str:
        """The scopes as the answer names them: clients look in their cache for what they asked, so `.default` too."""
        named = (f"{self.audience}/{scope}" for scope in (*self.scopes, ".default"))
        return " ".join((*named, *self.about))


def wished(form: Form, endpoint: Endpoint, authority: Authority, before: Wish | None = None) -> Wish:
    """The wish of a request; what it does not say is as it was granted `before`, where something was.

    Raises:
        Denied: AADSTS900144, no scope is given; AADSTS901002, v2.0 knows no `resource`; AADSTS500011, there is no such
            resource; AADSTS28000, there are two; AADSTS70011 and AADSTS650053, there are no such scopes.
    """
    resource, words = form.get("resource"), form.get("scope").split()
    about = tuple(word for word in ABOUT if word in words)
    if endpoint is Endpoint.V2 and resource:
        raise resource_parameter_unsupported()
    if before is not None and not resource and not words:
        return before
    if endpoint is Endpoint.V1 or resource:
        about = ABOUT[:2] + ABOUT[3:]
    elif not words and before is None:
        form.need("scope")
    about = before.about if before is not None else about
    if resource:
        return Wish(_audience(resource, authority), (IMPERSONATION,), about)
    named = dict.fromkeys(word for word in words if word not in ABOUT)
    if not named:
        return before or (Wish(GRAPH, (), about) if endpoint is Endpoint.V2 else Wish(ARM, (IMPERSONATION,), about))
    return _of_scopes(named, about, authority)


def _of_scopes(named: dict[str, None], about: tuple[str, ...], authority: Authority) -> Wish:
    resources, scopes = set(), []
    for word in named:
        resource, _, permission = word.rpartition("/")
        if not resource:
            resource = ARM if permission == IMPERSONATION else GRAPH
        resources.add(resource)
        scopes.append(permission)
    if len(resources) > 1:
        raise resources_several(" ".join(named))
    audience = _audience(resources.pop(), authority)
    return Wish(audience, tuple(dict.fromkeys(_granted(one, audience) for one in scopes)), about)


def application_of(audience: str) -> str | None:
    """The id of the application that an audience names, as `api://{id}` or by the id alone; None if it names none."""
    id_ = audience.removeprefix("api://").removesuffix("/").lower()
    return id_ if is_guid(id_) else None


def _audience(resource: str, authority: Authority) -> str:
    """The audience of a resource; whether there is such an application is asked when it is granted."""
    return resource if application_of(resource) else audience_of(resource, authority)


def _granted(permission: str, audience: str) -> str:
    """The scope that a resource has by that name."""
    if permission in {".default", IMPERSONATION}:
        return IMPERSONATION
    if not _PERMISSION.fullmatch(permission):
        raise scope_invalid(permission)
    if audience.rstrip("/") != GRAPH:
        raise permission_unknown(permission, audience)
    return permission
