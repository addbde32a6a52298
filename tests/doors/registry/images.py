"""Small images, indexes and artifacts, as bytes and as documents."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY_JSON = "application/vnd.oci.empty.v1+json"


@dataclass(frozen=True)
class Image:
    """An image manifest and the blobs it refers to."""

    document: dict[str, Any]
    config: bytes
    layers: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        return json.dumps(self.document).encode()

    @property
    def digest(self) -> str:
        return digest_of(self.body)

    @property
    def blobs(self) -> tuple[bytes, ...]:
        return (self.config, *self.layers)

    def saying(self, **members: Any) -> Image:
        """The same image with other members in its manifest."""
        return replace(self, document={**self.document, **members})


def small_image(text: str, architecture: str = "amd64") -> Image:
    """A real image with one layer, which holds a file with this text."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("hello.txt")
        entry.size = len(text.encode())
        tar.addfile(entry, io.BytesIO(text.encode()))
    layer = gzip.compress(archive.getvalue(), mtime=0)
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(archive.getvalue())]},
    }
    encoded = json.dumps(config).encode()
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(encoded, OCI_CONFIG),
        "layers": [descriptor(layer, OCI_LAYER)],
    }
    return Image(document, encoded, (layer,))


def index_of(*images: Image, **members: Any) -> dict[str, Any]:
    """An image index of these images."""
    return {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [descriptor(image.body, OCI_MANIFEST) for image in images],
        **members,
    }


def artifact(subject: Image, artifact_type: str | None, **members: Any) -> Image:
    """An artifact manifest that refers to an image as its subject, such as a signature."""
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(b"{}", EMPTY_JSON),
        "layers": [descriptor(b"{}", EMPTY_JSON)],
        "subject": descriptor(subject.body, OCI_MANIFEST),
        **({"artifactType": artifact_type} if artifact_type else {}),
        **members,
    }
    return Image(document, b"{}", ())


def write_layout(folder: Path, image: Image, tag: str) -> None:
    """Write an image as an OCI layout, from which skopeo can push."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    for content in (*image.blobs, image.body):
        (blobs / hashlib.sha256(content).hexdigest()).write_bytes(content)
    entry = {**descriptor(image.body, OCI_MANIFEST), "annotations": {"org.opencontainers.image.ref.name": tag}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
