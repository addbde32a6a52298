"""The notebook of a workspace: prepared once, two keys, and tokens that die with the first of them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import OctKey

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller

MEMBERS = [
    "notebookResourceId",
    "hostName",
    "publicDns",
    "accessToken",
    "tokenType",
    "expiresIn",
    "refreshToken",
    "scope",
]


def posted(owner: Caller, path: str, action: str) -> Any:
    answer = owner.post(f"{path}/{action}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_before_it_is_prepared_there_are_nulls(owner: Caller, place: Place) -> None:
    path = place.workspace()
    assert posted(owner, path, "listNotebookKeys") == {"primaryAccessKey": None, "secondaryAccessKey": None}
    token = posted(owner, path, "listNotebookAccessToken")
    assert list(token) == MEMBERS
    assert (token["notebookResourceId"], token["publicDns"], token["accessToken"]) == (None, None, None)
    assert "notebookInfo" not in owner.get(path).json()["properties"]


def test_preparing_it_makes_its_address_and_its_keys(owner: Caller, place: Place) -> None:
    path = place.workspace()
    info = posted(owner, path, "prepareNotebook")
    shown = owner.get(path).json()["properties"]
    assert shown["notebookInfo"] == info
    assert re.fullmatch(r"[0-9a-f]{32}", info["resourceId"])
    name = path.rpartition("/")[2][:14]
    assert info["fqdn"] == f"ml-{name}-eastus-{shown['workspaceId']}.eastus.notebooks.azure.net"
    assert info["notebookPreparationError"] is None
    keys = posted(owner, path, "listNotebookKeys")
    assert list(keys) == ["primaryAccessKey", "secondaryAccessKey"]
    assert all(re.fullmatch(r"[0-9a-f]{64}", key) for key in keys.values())
    assert len(set(keys.values())) == 2
    assert posted(owner, path, "listKeys")["notebookAccessKeys"] == keys


def test_preparing_it_again_changes_nothing(owner: Caller, place: Place) -> None:
    path = place.workspace()
    info = posted(owner, path, "prepareNotebook")
    keys = posted(owner, path, "listNotebookKeys")
    assert posted(owner, path, "prepareNotebook") == info
    assert posted(owner, path, "resyncKeys")["properties"]["notebookInfo"] == info
    assert posted(owner, path, "listNotebookKeys") == keys


def test_no_two_workspaces_share_a_notebook_key(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    keys: set[str] = set()
    for _ in range(2):
        path = place.workspace(links)
        posted(owner, path, "prepareNotebook")
        keys |= set(posted(owner, path, "listNotebookKeys").values())
    assert len(keys) == 4


def test_a_token_is_signed_with_the_first_key_for_that_workspace_and_that_caller(owner: Caller, place: Place) -> None:
    path = place.workspace()
    info = posted(owner, path, "prepareNotebook")
    keys = posted(owner, path, "listNotebookKeys")
    token = posted(owner, path, "listNotebookAccessToken")
    assert list(token) == MEMBERS
    assert (token["notebookResourceId"], token["publicDns"]) == (info["resourceId"], info["fqdn"])
    assert (token["tokenType"], token["scope"], token["expiresIn"]) == ("Bearer", "aznb_identity", 28800)
    claims = jwt.decode(token["accessToken"], OctKey.import_key(keys["primaryAccessKey"]), algorithms=["HS256"]).claims
    assert (claims["aud"], claims["sub"]) == (path, "66666666-7777-8888-9999-aaaaaaaaaaaa")
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["exp"] - claims["iat"] == 28800
    with pytest.raises(BadSignatureError):
        jwt.decode(token["accessToken"], OctKey.import_key(keys["secondaryAccessKey"]), algorithms=["HS256"])
