"""Names that are unique in all of Azure, and the action that asks whether one is free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.kind import Action, Effect
from linarite.schema import Field, Text

if TYPE_CHECKING:
    from linarite.kind import NameRule
    from linarite.model import Body, Resource
    from linarite.world import Reading


def is_taken(reading: Reading, type_: str, name: str) -> bool:
    """Whether a resource of the type has that name, in any case, anywhere."""
    return any(True for _ in reading.named(type_, name))


def check_availability(
    type_: str,
    rule: NameRule,
    *,
    reason: str,
    invalid: str = "{rule}",
    taken: str,
    permission: str = "checkNameAvailability/read",
) -> Action:
    """`checkNameAvailability` of a provider.

    `reason` is its word for a name against the rule; `invalid` and `taken` are its sentences, with `{name}` and
    `{rule}` to be filled in.
    """

    def run(reading: Reading, _: Resource, body: Body) -> Any:
        name = body["name"]
        if not rule.allows(name):
            said = invalid.format(name=name, rule=rule.sentence)
            return {"nameAvailable": False, "reason": reason, "message": said}
        if is_taken(reading, type_, name):
            return {"nameAvailable": False, "reason": "AlreadyExists", "message": taken.format(name=name)}
        return {"nameAvailable": True}

    return Action(
        name="checkNameAvailability",
        effect=Effect.READ,
        run=run,
        permission=permission,
        fields=(Field(name="name", shape=Text(), required=True), Field(name="type", shape=Text())),
    )
