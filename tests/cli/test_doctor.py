"""The doctor looks at everything that a server needs, and says what to do about what it finds."""

from __future__ import annotations

import json
import re
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from linarite import certificates
from linarite.client import READY_FILE, environment
from tests.cli.program import linarite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server import Server


def found(*arguments: str | Path, status: int, **variables: str) -> dict[str, tuple[bool, str]]:
    """The doctor's findings, by name: well or not, and what it says."""
    ended = linarite("doctor", *arguments, **variables)
    assert (ended.status, ended.complaint) == (status, ""), ended
    rows = re.findall(r"^│ ([✓✗]) │ (.+?) +│ (.+?) +│$", ended.output, re.MULTILINE)
    return {what: (mark == "✓", saying) for mark, what, saying in rows}


def test_a_shell_that_is_pointed_here_is_well(server: Server) -> None:
    findings = found("--data", server.folder, status=0, **environment(server.known))
    assert list(findings) == [
        "data folder",
        "root key",
        "certificate",
        "database",
        "server",
        "clock",
        "doors",
        "trust",
    ]
    assert all(well for well, _ in findings.values())
    assert findings["server"][1] == f"answers at {server.origin}"
    assert re.fullmatch(r"sqlite, \d+ entries on the trail", findings["database"][1])
    assert findings["doors"][1] == "blob off, registry off, telemetry off, notebook off"
    assert findings["clock"][1].startswith("0 seconds") or findings["clock"][1].startswith("1 seconds")


def test_a_shell_that_does_not_trust_the_server_is_told_how_to(server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text("another authority")
    variables = environment(server.known) | {"SSL_CERT_FILE": str(other), "REQUESTS_CA_BUNDLE": str(tmp_path)}
    well, saying = found("--data", server.folder, status=1, **variables)["trust"]
    assert not well
    assert saying.startswith("REQUESTS_CA_BUNDLE, SSL_CERT_FILE of this shell")
    assert 'eval "$(linarite env)"' in saying


def test_a_bundle_of_ones_own_that_holds_the_authority_is_trusted(server: Server, tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.write_text("a root of ours\n" + (server.folder / "ca.pem").read_text())
    variables = environment(server.known) | {"SSL_CERT_FILE": str(own)}
    assert found("--data", server.folder, status=0, **variables)["trust"][0]


def test_where_nothing_was_started_yet_everything_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        findings = found("--data", tmp_path / "data", status=1, LINARITE_PORT=str(port))
    assert {what for what, (well, _) in findings.items() if not well} == {
        "data folder",
        "root key",
        "certificate",
        "database",
        "ports",
        "server",
    }
    assert findings["ports"][1] == f"Port {port} cannot be used: Address already in use. Choose others with --port."


def test_a_port_of_a_door_that_is_taken_is_found_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        door = other.getsockname()[1]
        findings = found("--data", tmp_path / "data", status=1, LINARITE_PORT=str(door - 2))
        alone = found("--data", tmp_path / "data", status=1, LINARITE_PORT=str(door - 2), LINARITE_DOORS="false")
    assert "cannot be used" in findings["ports"][1]
    assert str(door) not in alone["ports"][1]


def test_a_door_that_went_silent_is_found_out(server: Server, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"https://localhost:{free.getsockname()[1]}"
    known = server.known | {"doors": {"blob": url, "registry": server.origin, "telemetry": None, "notebook": None}}
    (tmp_path / READY_FILE).write_text(json.dumps(known))
    (tmp_path / "ca.pem").write_bytes((server.folder / "ca.pem").read_bytes())
    assert found("--data", tmp_path, status=1)["doors"] == (False, "No answer from blob: start the server again.")


def test_a_server_that_died_is_found_out(server: Server, tmp_path: Path) -> None:
    gone = server.known | {"armEndpoint": "https://localhost:1"}
    (tmp_path / READY_FILE).write_text(json.dumps(gone))
    (tmp_path / "ca.pem").write_bytes((server.folder / "ca.pem").read_bytes())
    well, saying = found("--data", tmp_path, status=1)["server"]
    assert not well
    assert saying.startswith("The server at https://localhost:1 does not answer")


def test_a_server_that_shows_the_certificate_of_another_authority_is_found_out(server: Server, tmp_path: Path) -> None:
    other = server.known | {"caBundle": str(tmp_path / "empty.pem")}
    (tmp_path / READY_FILE).write_text(json.dumps(other))
    (tmp_path / "ca.pem").write_bytes((server.folder / "ca.pem").read_bytes())
    (tmp_path / "empty.pem").write_bytes(_another_authority(tmp_path))
    well, saying = found("--data", tmp_path, status=1)["server"]
    assert not well
    assert "CERTIFICATE_VERIFY_FAILED" in saying


def _another_authority(folder: Path) -> bytes:
    return certificates.ensure(folder / "other", (), datetime.now(UTC)).ca.read_bytes()


def test_a_database_that_does_not_answer_is_found_out(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"postgresql://somebody:hunter2@127.0.0.1:{port}/linarite"
    well, saying = found("--data", server.folder, status=1, LINARITE_DATABASE=url)["database"]
    assert not well
    assert "LINARITE_DATABASE" in saying
    assert "hunter2" not in saying


def test_a_root_key_that_others_may_read_is_found_out(server: Server, tmp_path: Path) -> None:
    loose = tmp_path / "root.key"
    loose.write_bytes((server.folder / "root.key").read_bytes())
    loose.chmod(0o644)
    well, saying = found("--data", server.folder, status=1, LINARITE_ROOT_KEY=f"file:{loose}")["root key"]
    assert not well
    assert f"chmod 600 {loose}" in saying
