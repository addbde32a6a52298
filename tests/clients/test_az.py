"""az, unmodified: told of the cloud, it signs in by secret, by certificate and with a device code, and lists keys.

It has 600 packages of its own, so no set-up of ours installs it: where it is on the PATH, it is tested.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from linarite.client import environment
from linarite.first_start import OWNER_USER
from tests.api.browser import browser_of
from tests.certified import certified
from tests.cli.program import answered
from tests.clients.test_users import typed_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server import Server

pytestmark = [
    pytest.mark.skipif(shutil.which("az") is None, reason="there is no az on the PATH (pip install azure-cli)"),
    pytest.mark.timeout(300),
]
LONGEST = 120.0


@dataclass(frozen=True)
class Az:
    """az with a configuration of its own, in which the server is its cloud."""

    environment: dict[str, str]

    def __call__(self, *arguments: str) -> Any:
        """What a command answers."""
        command = ["az", *arguments, "--output", "json"]
        ended = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=LONGEST, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout or "null")

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["az", *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


@pytest.fixture
def az(server: Server, tmp_path: Path) -> Az:
    az = Az(
        {
            **os.environ,
            **environment(server.known),
            "AZURE_CONFIG_DIR": str(tmp_path / "az"),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_LOGIN_EXPERIENCE_V2": "false",
        }
    )
    az("cloud", "register", "--name", "Linarite", "--endpoint-resource-manager", server.origin)
    az("cloud", "set", "--name", "Linarite")
    return az


def as_application(server: Server, client: str, *proof: str) -> list[str]:
    return ["login", "--service-principal", "--username", client, *proof, "--tenant", server.known["tenantId"]]


def keys(az: Az, server: Server) -> Any:
    return az("rest", "--method", "post", "--url", f"{server.workspace}/listKeys?api-version=2023-10-01")


def test_a_secret_signs_in_and_lists_the_keys(az: Az, server: Server) -> None:
    az(*as_application(server, server.known["clientId"], "--password", server.known["clientSecret"]))
    assert keys(az, server) == server.owner().post(f"{server.workspace}/listKeys").json()


def test_a_certificate_signs_in(az: Az, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "ours.pem"
    file.write_bytes(certified().both)
    made = json.loads(
        answered("app", "add", "az", "--certificate", file, "--role", "Reader", "--json", "--data", server.folder)
    )
    [subscription] = az(*as_application(server, made["clientId"], "--certificate", str(file)))
    assert subscription["user"] == {"name": made["clientId"], "type": "servicePrincipal"}
    assert [group["name"] for group in az("group", "list") if group["name"] == server.known["resourceGroup"]]


def test_a_device_code_signs_a_user_in(az: Az, server: Server) -> None:
    process = az.begin("login", "--use-device-code", "--tenant", server.known["tenantId"], "--output", "none")
    assert process.stdout
    with process:
        try:
            shown = next(found for line in process.stdout if (found := re.search(r"enter the code (\w+)", line)))
            typed_in(browser_of(server), server, shown[1], server.password())
            said = process.stdout.read()
            assert process.wait(LONGEST) == 0, said
        finally:
            process.kill()
    assert az("account", "show")["user"] == {"name": OWNER_USER, "type": "user"}
    assert az("ad", "signed-in-user", "show")["userPrincipalName"] == OWNER_USER
    assert keys(az, server)["userStorageKey"]
