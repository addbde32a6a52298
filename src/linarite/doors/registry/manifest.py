"""Reading a manifest: what it is, what it needs and what it says of itself.

Image manifests and indexes, OCI's and Docker's, and artifacts of every kind have the same few members; they are read
by member, so that a media type nobody has thought of yet is kept like any other. All faults of a manifest are found
and refused together. This module is pure: bytes in, values out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from linarite.doors.registry.names import find_digest
from linarite.doors.registry.refused import refused, refused_for_each

if TYPE_CHECKING:
    from linarite.doors.registry.names import Digest

LARGEST = 4 * 1024 * 1024
"""Bytes; the limit of Azure's registry, and what the specification asks for."""

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

_NEEDS = {
    OCI_MANIFEST: ("config", "layers"),
    DOCKER_MANIFEST: ("config", "layers"),
    OCI_INDEX: ("manifests",),
    DOCKER_LIST: ("manifests",),
}
_SINGLE = ("config", "subject")
_LISTS = ("layers", "blobs", "manifests")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference from a manifest to other content."""

    digest: Digest
    media_type: str
    size: int
    elsewhere: bool
    """It may be had from a URL, and so need not be here."""
    platform: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A well-formed manifest, and the bytes it was read from."""

    body: bytes
    media_type: str
    artifact_type: str | None
    """As the descriptor of a referrer has it: the manifest's own, or else the media type of its config."""
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None
    annotations: dict[str, str]

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        return self.layers if self.config is None else (self.config, *self.layers)


def read(body: bytes, content_type: str | None) -> Manifest:
    """Read a pushed manifest. Parameters of the content type do not count; where there is none, the members decide.

    Raises:
        Refused: it is no manifest, with one fault for each thing that is wrong.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _invalid(["it is not JSON"]) from None
    if not isinstance(document, dict):
        raise _invalid(["it is not a JSON object"])
    media_type = _media_type(document, content_type)
    faults = _faults(document, media_type)
    if faults:
        raise _invalid(faults)
    config = _descriptor(document["config"]) if document.get("config") else None
    layers = [*(document.get("layers") or ()), *(document.get("blobs") or ())]
    own_type = document.get("artifactType") or None
    return Manifest(
        body=body,
        media_type=media_type,
        artifact_type=own_type or (config.media_type if config else None),
        config=config,
        layers=tuple(map(_descriptor, layers)),
        manifests=tuple(map(_descriptor, document.get("manifests") or ())),
        subject=_descriptor(document["subject"]) if document.get("subject") else None,
        annotations=document.get("annotations") or {},
    )


def _media_type(document: dict[str, Any], content_type: str | None) -> str:
    if content_type:
        return content_type.partition(";")[0].strip().lower()
    own = document.get("mediaType")
    if isinstance(own, str):
        return own
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST


def _faults(document: dict[str, Any], media_type: str) -> list[str]:
    """What is wrong, as sentences."""
    found = [f"{member} is missing" for member in _NEEDS.get(media_type, ()) if document.get(member) is None]
    if (document.get("mediaType") or media_type) != media_type:
        found.append("mediaType is not the Content-Type it was pushed with")
    if document.get("schemaVersion", 2) != 2:  # noqa: PLR2004 - the one version there is
        found.append("schemaVersion must be 2")
    if not any(document.get(member) is not None for member in (*_SINGLE, *_LISTS)):
        found.append("it refers to nothing")
    if not isinstance(document.get("artifactType") or "", str):
        found.append("artifactType must be a string")
    if not _is_annotations(document.get("annotations") or {}):
        found.append("annotations must be an object of strings")
    return found + _reference_faults(document)


def _reference_faults(document: dict[str, Any]) -> list[str]:
    found = []
    for member in _SINGLE:
        if document.get(member) is not None:
            found += _descriptor_faults(member, document[member])
    for member in _LISTS:
        entries = document.get(member)
        if isinstance(entries, list):
            for number, entry in enumerate(entries):
                found += _descriptor_faults(f"{member}[{number}]", entry)
        elif entries is not None:
            found.append(f"{member} must be a list")
    return found


def _descriptor_faults(where: str, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} must be an object"]
    found = []
    if find_digest(value.get("digest")) is None:
        found.append(f"{where}.digest is not a digest")
    if not isinstance(value.get("mediaType"), str):
        found.append(f"{where}.mediaType must be a string")
    size = value.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        found.append(f"{where}.size must be a number of bytes")
    if not isinstance(value.get("urls") or [], list):
        found.append(f"{where}.urls must be a list")
    if not isinstance(value.get("platform") or {}, dict):
        found.append(f"{where}.platform must be an object")
    return found


def _is_annotations(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(entry, str) for entry in value.values())


def _descriptor(value: dict[str, Any]) -> Descriptor:
    """A descriptor without faults."""
    return Descriptor(
        digest=value["digest"],
        media_type=value["mediaType"],
        size=value["size"],
        elsewhere=bool(value.get("urls")),
        platform=value.get("platform") or {},
    )


def _invalid(faults: list[str]) -> Exception:
    if len(faults) == 1:
        return refused("MANIFEST_INVALID", message=f"manifest invalid: {faults[0]}")
    return refused_for_each("MANIFEST_INVALID", [...] * len(faults), [f"manifest invalid: {fault}" for fault in faults])
