"""Host names of this cloud."""

from __future__ import annotations

import pytest

from linarite import hosts

SUFFIX = "core.linarite.localhost"


@pytest.mark.parametrize("service", ["blob", "queue", "table", "vault", "azurecr"])
def test_a_name_is_made_and_read_again(service: str) -> None:
    host = hosts.host_of(service, "My-Name1")
    assert host == f"my-name1.{service}.{SUFFIX}"
    assert hosts.named(host.upper()) == (service, "my-name1")
    assert f"*.{service}.{SUFFIX}" in hosts.wildcards()


@pytest.mark.parametrize(
    "host",
    [
        SUFFIX,
        f"blob.{SUFFIX}",
        f"a.dfs.{SUFFIX}",
        f"a.b.blob.{SUFFIX}",
        f".blob.{SUFFIX}",
        f"-a.blob.{SUFFIX}",
        f"{'a' * 64}.blob.{SUFFIX}",
        f"a.blob.{SUFFIX}.evil.test",
        f"a.blob.x{SUFFIX}",
        f"a.blob.{SUFFIX}\n",
        "a.blob.core.windows.net",
        "localhost",
        "",
    ],
)
def test_what_is_none_of_this_clouds_is_not_taken_for_one(host: str) -> None:
    assert hosts.named(host) is None


@pytest.mark.parametrize(
    ("resource", "ours"),
    [
        (f"https://vault.{SUFFIX}", True),
        (f"https://vault.{SUFFIX}:8449", True),
        (f"https://vault.{SUFFIX}:", False),
        (f"https://vault.{SUFFIX}:8449/x", False),
        (f"https://a.vault.{SUFFIX}", False),
        (f"http://vault.{SUFFIX}", False),
        (f"https://vault.{SUFFIX}.evil.test", False),
        ("https://vault.azure.net", False),
    ],
)
def test_the_resource_of_vaults_is_known_whatever_its_port(resource: str, ours: bool) -> None:  # noqa: FBT001
    assert hosts.is_vaults(resource) is ours
