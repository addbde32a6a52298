"""Azure's clients for Node, unmodified: they sign in, and list keys, over the same addresses as those for Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from linarite.first_start import OWNER_USER
from tests.api.browser import AZURE_CLI, REDIRECT, VERIFIER, browser_of
from tests.certified import certified
from tests.cli.program import answered
from tests.clients.test_sign_in import claims_of, status_with
from tests.clients.test_users import typed_in
from tests.node.program import begun, said

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server import Server


def node(server: Server, command: str, **changes: Any) -> list[Any]:
    return said("clients.mjs", command, given={**server.known, **changes}, NODE_EXTRA_CA_CERTS=server.known["caBundle"])


def test_the_management_client_lists_the_keys(server: Server) -> None:
    [keys] = node(server, "keys")
    listed = server.owner().post(f"{server.workspace}/listKeys").json()
    assert keys["userStorageKey"] == listed["userStorageKey"]
    assert keys["containerRegistryCredentials"]["passwords"] == listed["containerRegistryCredentials"]["passwords"]
    assert keys["notebookAccessKeys"] == listed["notebookAccessKeys"]


def test_a_wrong_secret_is_refused_in_entras_words(server: Server) -> None:
    [refusal] = node(server, "keys", clientSecret="wrong")
    assert "AADSTS7000215" in refusal["message"]


def test_msal_signs_an_application_in(server: Server) -> None:
    [answer] = node(server, "msal secret")
    assert answer["tokenType"] == "Bearer"
    assert status_with(server, answer["accessToken"]) == 200


def test_msal_signs_a_user_in_and_asks_anew_without_them(server: Server) -> None:
    browser = browser_of(server)
    asked = browser.ask(scope=f"{server.origin}/.default openid profile offline_access")
    code = browser.sign_in(asked, server.password()).brought["code"]
    changes = {"clientId": AZURE_CLI, "code": code, "verifier": VERIFIER, "redirectUri": REDIRECT}
    first, second = node(server, "msal code", **changes)
    assert first["account"] == OWNER_USER
    assert status_with(server, first["token"]) == 200
    assert status_with(server, second["token"]) == 200


def test_a_device_code_signs_a_user_in(server: Server) -> None:
    with begun("clients.mjs", "device", given=server.known, NODE_EXTRA_CA_CERTS=server.known["caBundle"]) as lines:
        shown = next(lines)
        assert shown["verificationUri"] == f"{server.origin}/devicelogin"
        typed_in(browser_of(server), server, shown["userCode"], server.password())
        assert claims_of(next(lines)["token"])["upn"] == OWNER_USER


def test_a_certificate_signs_an_application_in(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "ours.pem"
    file.write_bytes(certified().both)
    where = ("--json", "--data", server.folder)
    made = json.loads(answered("app", "add", "node", "--certificate", file, "--role", "Reader", *where))
    [answer] = node(server, "certificate", clientId=made["clientId"], certificate=str(file))
    assert status_with(server, answer["token"]) == 200
