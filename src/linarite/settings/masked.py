"""Values of settings as they may be shown: without the secrets in them, whether or not they are allowed."""

from __future__ import annotations

import re

# Up to the last @, for a password with an @ in it is as likely as one that is quoted.
_PASSWORD_BEFORE_HOST = re.compile(r"^([\w+.-]+://[^:]*:|[^:]*:(?!//)).*@", re.DOTALL)
_PASSWORD_BY_NAME = re.compile(r"(password=)[^&\s]*", re.IGNORECASE)


def shown(name: str, value: object) -> str:
    """A value as it was or could be given, without the secret in it; also of a value that is not allowed."""
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    if name in {"database", "registry_upstream"}:
        return _PASSWORD_BY_NAME.sub(r"\1…", _PASSWORD_BEFORE_HOST.sub(r"\1…@", text))
    if name == "root_key" and not text.startswith(("file:", "env:")):
        # A command's arguments may be secret, and what is no source may be the key itself.
        command = re.match(r"command:\s*\S+", text)
        return f"{command[0]} …" if command else "…"
    return text
