"""A whole server before Debian's registry: the workspace's passwords open what that one keeps."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.clients.house import LOCATION, Azure, credential
from tests.doors.place import settle
from tests.doors.registry import debian
from tests.doors.registry.house import short_folder
from tests.server import running

if TYPE_CHECKING:
    from pathlib import Path


def test_images_lie_upstream_behind_the_passwords_that_list_keys_tells(
    tmp_path: Path, trusted: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(short_folder())
        stack.enter_context(debian.serving(folder / "storage", "unix", str(folder / "socket")))
        upstream = {"LINARITE_REGISTRY_UPSTREAM": f"unix://{folder}/socket", "LINARITE_LRO": "immediate"}
        server = stack.enter_context(running(tmp_path / "data", **upstream))
        trusted.setenv("REQUESTS_CA_BUNDLE", server.known["caBundle"])
        owner = stack.enter_context(credential(server))
        place = settle(Azure(server, owner, stack))
        client, target = place.oras(place.passwords()["password"]), f"{place.login_server}/models/first:v1"
        client.push(target, files=[str(model)], disable_path_validation=True)
        client.pull(target, outdir=str(tmp_path / "pulled"))
        assert (tmp_path / "pulled" / "model.bin").read_bytes() == b"weights"
        [stored] = (folder / "storage/docker/registry/v2/repositories").iterdir()
        assert stored.name.startswith(f"{place.registry.lower()}-20")
        assert list((server.folder / "registries").iterdir()) == []

        new = place.regenerate_password()

        with pytest.raises(ValueError, match="Unauthorized"):
            client.get_manifest(target)
        assert place.oras(new).get_manifest(target)["layers"]
        place.registries.begin_delete(place.group, place.registry).result()
        registry = {"location": LOCATION, "sku": {"name": "Basic"}, "properties": {"adminUserEnabled": True}}
        place.registries.begin_create(place.group, place.registry, registry).result()
        password = place.registries.list_credentials(place.group, place.registry).passwords[0].value
        with pytest.raises(ValueError, match="Not Found"):
            place.oras(password).get_manifest(target)
