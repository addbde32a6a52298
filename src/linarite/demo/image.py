"""A small container image: one layer with one file, as OCI's image specification has it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"


FILE = "hello.txt"


class Image(NamedTuple):
    """The files of an image."""

    layer: Path
    config: Path


def write(folder: Path, text: str) -> Image:
    """Write the files of an image whose one file holds this text."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(FILE)
        entry.size = len(text.encode())
        tar.addfile(entry, io.BytesIO(text.encode()))
    unpacked = f"sha256:{hashlib.sha256(archive.getvalue()).hexdigest()}"
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [unpacked]}}
    folder.mkdir()
    image = Image(folder / "layer.tar.gz", folder / "config.json")
    image.layer.write_bytes(gzip.compress(archive.getvalue(), mtime=0))
    image.config.write_text(json.dumps(config))
    return image
