"""The notebook behind the notebook keys: what prepareNotebook makes, and what opens it.

Keys are two version-4 GUIDs in a row without dashes, 64 lower-case hexadecimal digits, as recorded answers show. What
they open in the real service is not documented; here they open the notebook door. An access token is a JWT signed with
the primary key (HS256, as recorded), so it dies with that key.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import OctKey

from linarite.model import Secret

if TYPE_CHECKING:
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

KEYS = {"primaryAccessKey": "notebook.primary", "secondaryAccessKey": "notebook.secondary"}
"""Names in answers, and names under which they are kept."""

TOKEN_LIFETIME = timedelta(hours=8)
SCOPE = "aznb_identity"


def prepare(work: Writing, workspace: Resource) -> Body:
    """Make the notebook and its keys, once; answers `NotebookResourceInfo`."""
    kept = work.secrets(workspace)
    for name in KEYS.values():
        if name not in kept:
            halves = (UUID(bytes=work.random(16), version=4).hex for _ in range(2))
            work.keep(workspace.id, name, Secret("".join(halves)))
    known = workspace.properties.get("notebookInfo")
    if known:
        return dict(known)
    location, workspace_id = workspace.location, workspace.properties["workspaceId"]
    return {
        "resourceId": UUID(bytes=work.random(16), version=4).hex,
        "fqdn": f"ml-{workspace.name.lower()[:14]}-{location}-{workspace_id}.{location}.notebooks.azure.net",
        "isPrivateLinkEnabled": False,
        "notebookPreparationError": None,
    }


def list_keys(reading: Reading, workspace: Resource, _: Body) -> Body:
    """listNotebookKeys: null leaves until the notebook was prepared."""
    secrets = reading.secrets(workspace)
    return {shown: secrets.get(kept) for shown, kept in KEYS.items()}


def list_access_token(reading: Reading, workspace: Resource, _: Body) -> Body:
    """listNotebookAccessToken: a bearer token for the notebook; nulls until it was prepared."""
    info = workspace.properties.get("notebookInfo") or {}
    key = reading.secrets(workspace).get(KEYS["primaryAccessKey"])
    return {
        "notebookResourceId": info.get("resourceId"),
        "hostName": "Azure Machine Learning",
        "publicDns": info.get("fqdn"),
        "accessToken": _token(reading, workspace, key) if key else None,
        "tokenType": "Bearer",
        "expiresIn": int(TOKEN_LIFETIME.total_seconds()),
        "refreshToken": None,
        "scope": SCOPE,
    }


def _token(reading: Reading, workspace: Resource, key: Secret) -> Secret:
    start = int(reading.now.timestamp())
    claims = {
        "aud": workspace.id.text,
        "iss": reading.options.origin,
        "sub": reading.caller.object_id if reading.caller else "",
        "scp": SCOPE,
        "iat": start,
        "exp": start + int(TOKEN_LIFETIME.total_seconds()),
    }
    return Secret(jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(key.reveal()), algorithms=["HS256"]))
