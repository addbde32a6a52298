"""Bodies of requests, read: what is to be set, what is to be changed, what is to be restored.

Every value is checked here, so that nothing that an answer could not show is ever kept. Knows no store.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from linarite.doors.vault.refusals import bad_parameter
from linarite.model import Body, Secret

LONGEST_VALUE = 25 * 1024
"""Bytes of a secret's value (Microsoft's "About Azure Key Vault secrets")."""
MOST_TAGS = 15
LONGEST_TAG = 256
LONGEST_CONTENT_TYPE = 255
LAST_SECOND = 253_402_300_799
"""The end of the year 9999, which is as far as clients can count."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a request wants a version to be. None means that nothing is said about it."""

    content_type: str | None = None
    tags: dict[str, str] | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    """Of `enabled`, `nbf` and `exp` those that were given."""

    def over(self, before: Body, now: int) -> Body:
        """The body of a version that was so before, and is changed now; seconds since 1970."""
        body = {**before, "attributes": {**before["attributes"], **self.attributes, "updated": now}}
        if self.content_type is not None:
            body["contentType"] = self.content_type
        if self.tags is not None:
            body["tags"] = self.tags
        return body

    def anew(self, now: int) -> Body:
        """The body of a new version."""
        return self.over({"attributes": {"enabled": True, "created": now}}, now)


def to_set(body: Any) -> tuple[Secret, Draft]:
    """Read the body of a set: the value, and what else is said of it.

    Raises:
        BadRequest: something in it cannot be.
    """
    draft = to_update(body)
    value = body.get("value")
    if not isinstance(value, str):
        raise bad_parameter("Property value is required and must be a string")
    if len(value.encode()) > LONGEST_VALUE:
        raise bad_parameter(f"Property value has invalid value: it is longer than {LONGEST_VALUE} bytes")
    return Secret(value), draft


def to_update(body: Any) -> Draft:
    """Read the body of an update; raises as `to_set` does."""
    if not isinstance(body, dict):
        raise bad_parameter("The request body must be a JSON object")
    return Draft(_content_type(body.get("contentType")), _tags(body.get("tags")), _read(body.get("attributes")))


def to_restore(body: Any) -> str:
    """Read the body of a restore: what a backup answered."""
    value = body.get("value") if isinstance(body, dict) else None
    if not isinstance(value, str):
        raise bad_parameter("Property value is required and must be a string")
    return value


def decoded(body: bytes) -> Any:
    """A body's JSON, None for an empty one.

    Raises:
        BadRequest: it is none.
    """
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError as error:
        raise bad_parameter(f"The request body is not valid JSON: {error.msg}") from None


def _content_type(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= LONGEST_CONTENT_TYPE):
        return value
    raise bad_parameter(f"Property contentType must be a string of at most {LONGEST_CONTENT_TYPE} characters")


def _tags(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    fits = isinstance(value, dict) and len(value) <= MOST_TAGS and all(map(_is_tag, [*value, *value.values()]))
    if not fits:
        raise bad_parameter(
            f"Property tags must have at most {MOST_TAGS} members, with names and values of at most {LONGEST_TAG} "
            "characters"
        )
    return dict(value)


def _is_tag(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= LONGEST_TAG


def _read(value: Any) -> dict[str, Any]:
    """Attributes; those that only the service sets are passed over."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_parameter("Property attributes must be an object")
    read = {name: value[name] for name in ("enabled", "nbf", "exp") if value.get(name) is not None}
    if not isinstance(read.get("enabled", True), bool):
        raise bad_parameter("Property attributes.enabled must be true or false")
    for name in ("nbf", "exp"):
        second = read.get(name, 0)
        if not isinstance(second, int) or isinstance(second, bool) or not 0 <= second <= LAST_SECOND:
            raise bad_parameter(f"Property attributes.{name} must be a number of seconds since 1970")
    return read
