"""What Azure's metadata API tells of a manifest beside times, tags and locks: size, platform, and what an index holds.

It is worked out once, when the manifest is pushed. Shapes and member names are those of answers recorded from the real
service in the tests of Azure's SDK for JavaScript. This module knows no tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from linarite.doors.registry.content import Content
    from linarite.doors.registry.manifest import Descriptor, Manifest

LARGEST_CONFIG = 1024 * 1024
"""Bytes of a config that is looked into."""

LARGEST_SIZE = 2**63 - 1
"""What JSON readers take for an integer; the sizes are the client's claims and may add up to more."""

_PLATFORM = ("architecture", "os")


def attributes(content: Content, manifest: Manifest) -> dict[str, Any]:
    """The members, in the order of the real service. The blobs of the manifest must be in place."""
    size = sum(descriptor.size for descriptor in manifest.blobs)
    told: dict[str, Any] = {"imageSize": min(size, LARGEST_SIZE)}
    if manifest.config is not None:
        told |= _platform(_config(content, manifest.config))
    told["mediaType"] = manifest.media_type
    if manifest.config is not None:
        told["configMediaType"] = manifest.config.media_type
    if manifest.manifests:
        told["references"] = [
            {"digest": descriptor.digest, **_platform(descriptor.platform)} for descriptor in manifest.manifests
        ]
    return told


def _platform(document: dict[str, Any]) -> dict[str, str]:
    return {member: document[member] for member in _PLATFORM if isinstance(document.get(member), str)}


def _config(content: Content, descriptor: Descriptor) -> dict[str, Any]:
    """The config blob as JSON; empty where it is something else, as it may be in an artifact."""
    path = content.blob_path(descriptor.digest)
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            return {}
        document = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return document if isinstance(document, dict) else {}
