"""What all who read an OData filter agree on: its conditions are joined by words, which a quoted text may hold too."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"'[^']*'")


def joined_by(word: str, text: str) -> list[str]:
    """What stands on both sides of each `word` outside quotes, without the space around it. Takes linear time."""
    covered = _QUOTED.sub(lambda found: "'" * len(found[0]), text)
    parts, start = [], 0
    for found in re.finditer(rf"(?<!\s)\s+{word}\s+", covered, re.IGNORECASE):
        parts.append(text[start : found.start()].strip())
        start = found.end()
    return [*parts, text[start:].strip()]
