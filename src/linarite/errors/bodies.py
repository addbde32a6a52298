"""Refusals of what a request says: a body that cannot be read, breaks its type's rules, or is for another region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.errors import BadRequest, Conflict, TooLarge, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from linarite.errors import Problem


def body_unreadable(why: str) -> BadRequest:
    return BadRequest(
        "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{why}'."
    )


def body_too_large(limit: int) -> TooLarge:
    return TooLarge("RequestContentTooLarge", f"The request content is larger than the limit of {limit} bytes.")


def media_type_unsupported(media_type: str) -> Unsupported:
    return Unsupported(
        "UnsupportedMediaType",
        f"The content media type '{media_type}' is not supported. Only 'application/json' is supported.",
    )


def body_invalid(problems: Sequence[Problem], target: str) -> BadRequest:
    """Every problem of one body, refused together in the resource provider's envelope."""
    first = problems[0]
    message = first.message if len(problems) == 1 else f"{len(problems)} properties are invalid. {first.message}"
    return BadRequest("ValidationError", message, target=target, details=problems, origin="provider")


def location_required() -> BadRequest:
    return BadRequest("LocationRequired", "The location property is required for this definition.")


def location_unavailable(location: str, type_: str, regions: Iterable[str]) -> BadRequest:
    return BadRequest(
        "LocationNotAvailableForResourceType",
        f"The provided location '{location}' is not available for resource type '{type_}'. List of available regions "
        f"for the resource type is '{','.join(regions)}'.",
    )


def location_fixed(name: str, group: str, present: str, wanted: str) -> Conflict:
    return Conflict(
        "InvalidResourceLocation",
        f"The resource '{name}' already exists in location '{present}' in resource group '{group}'. A resource with "
        f"the same name cannot be created in location '{wanted}'. Please select a new resource name.",
    )
