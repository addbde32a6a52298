"""The token service: what clients ask for, the grants that answer them, and the applications that may ask.

A mechanism over the gate. It knows tenants, forms, secrets, keys and the trail, and nothing of HTTP: `web.oauth` gives
it an `Ask`, and makes a response of its answer or of the `Denied` that it raises.
"""

from __future__ import annotations

from linarite.grants.applications import (
    add_application,
    add_bare_application,
    add_certificate,
    add_federation,
    add_secret,
    consent_to_all,
    remove_credential,
    rotate_signing_key,
)
from linarite.grants.ask import DOMAIN, Ask, Endpoint, Form, tenant_of
from linarite.grants.asking import fit_redirect
from linarite.grants.case import Case
from linarite.grants.denied import Denied
from linarite.grants.endpoint import GRANTS, TokenService
from linarite.grants.federation import Federation
from linarite.grants.managed_identity import HEADER, Place, Unidentified
from linarite.grants.proofs import hash_secret, new_secret
from linarite.grants.users import LONGEST, SHORTEST, add_user, new_password, set_password

__all__ = [
    "DOMAIN",
    "GRANTS",
    "HEADER",
    "LONGEST",
    "SHORTEST",
    "Ask",
    "Case",
    "Denied",
    "Endpoint",
    "Federation",
    "Form",
    "Place",
    "TokenService",
    "Unidentified",
    "add_application",
    "add_bare_application",
    "add_certificate",
    "add_federation",
    "add_secret",
    "add_user",
    "consent_to_all",
    "fit_redirect",
    "hash_secret",
    "new_password",
    "new_secret",
    "remove_credential",
    "rotate_signing_key",
    "set_password",
    "tenant_of",
]
