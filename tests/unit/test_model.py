"""The nouns: what a copy of a JSON object is."""

from __future__ import annotations

from typing import Any

from linarite.model import copied


def test_a_copy_is_equal_and_shares_nothing_that_can_be_changed() -> None:
    body: dict[str, Any] = {"text": "t", "none": None, "object": {"list": [1, {"deep": True}, [2.5]]}, "list": []}
    copy = copied(body)
    assert copy == body
    assert copy is not body
    copy["object"]["list"][1]["deep"] = False
    copy["object"]["list"][2].append("more")
    copy["list"].append("more")
    assert body == {"text": "t", "none": None, "object": {"list": [1, {"deep": True}, [2.5]]}, "list": []}
