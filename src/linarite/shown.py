"""A resource as an api-version shows it: its id, name and type, and what its kind's fields let through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.schema import show

if TYPE_CHECKING:
    from linarite.kind import Kind
    from linarite.model import Body, Resource
    from linarite.world import Reading


def as_shown(reading: Reading, kind: Kind, resource: Resource) -> Body:
    """The JSON of a resource; secrets are never part of it."""
    body = {"id": resource.id.text, "name": resource.name, "type": kind.type}
    body |= show(kind.fields, resource.body, reading.version)
    return kind.present(reading, resource, body) if kind.present else body
