"""Settings, taken from an environment and the command line, and checked; which there are, `declared` says.

A setting's environment variable is `LINARITE_` and its name in capitals; the command line's options go before it. This
module reads no environment of its own, and knows nothing of what the settings do.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import msgspec
from msgspec.structs import fields

from linarite.hosts import is_loopback
from linarite.issuers import trusted_in
from linarite.settings.declared import Settings, allowed, root_key_beside
from linarite.settings.masked import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["BadSettings", "Origin", "Row", "Settings", "load", "rows", "variable"]

PREFIX = "LINARITE_"

Origin = Literal["default", "environment", "command line"]


class BadSettings(Exception):
    """Some settings cannot be had; `problems` are sentences, one each, and the message is all of them."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Row(NamedTuple):
    """One setting as `linarite settings` shows it; a secret in `value` is masked."""

    name: str
    variable: str
    value: str
    default: str
    allowed: str
    help: str
    origin: Origin


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def load(environment: Mapping[str, str], **overrides: object) -> Settings:
    """The settings of this environment, under what the command line gave.

    A variable that is empty is not set, and an override that is None is not given. A relative `data` is taken from the
    working folder.

    Raises:
        BadSettings: some values are not allowed, or variables that begin with LINARITE_ are none of ours.
        TypeError: an override is no setting, which is a defect of the caller.
    """
    if strangers := overrides.keys() - {field.name for field in fields(Settings)}:
        raise TypeError(f"not settings: {', '.join(sorted(strangers))}")
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in fields(Settings):
        value, label, _ = _given(field.name, environment, overrides)
        if value is None and field.required:
            problems.append(f"{label} is not set, and without HOME it has no default: set it to {allowed(field)}.")
        elif value is not None:
            try:
                values[field.name] = msgspec.convert(value, field.type, strict=False, dec_hook=_folder)
            except msgspec.ValidationError:
                problems.append(f"{label} is {shown(field.name, value)!r}, and must be {allowed(field)}.")
    problems += _untrusted(values.get("trust_issuers", ""))
    problems += _unknown(environment, str(values.get("root_key", "")))
    problems += _exposed(values, environment, overrides)
    if problems:
        raise BadSettings(problems)
    return Settings(**values)


def rows(environment: Mapping[str, str], **overrides: object) -> list[Row]:
    """Every setting with its value and where that came from, in the order of `Settings`.

    Raises:
        BadSettings: as `load` does.
    """
    settings = load(environment, **overrides)
    computed = {"data": _home_of_data(environment) or "", "root_key": root_key_beside(settings.data)}
    return [
        Row(
            field.name,
            variable(field.name),
            shown(field.name, getattr(settings, field.name)),
            shown(field.name, computed.get(field.name, field.default)),
            allowed(field),
            get_args(field.type)[1].description,
            _given(field.name, environment, overrides)[2],
        )
        for field in fields(Settings)
    ]


# ── what was given ──────────────────────────────────────────────────────────────────────────────────────────────────


def _given(name: str, environment: Mapping[str, str], overrides: Mapping[str, object]) -> tuple[Any, str, Origin]:
    """The value as it was given, None where none was; the word it was given by; and where."""
    override = overrides.get(name)
    if override is not None:
        plain = str(override).strip() if isinstance(override, str | Path) else override
        return plain, f"--{name.replace('_', '-')}", "command line"
    if value := environment.get(variable(name), "").strip():
        return value, variable(name), "environment"
    return (_home_of_data(environment) if name == "data" else None), variable(name), "default"


def _home_of_data(environment: Mapping[str, str]) -> str | None:
    """Where the XDG base directory specification puts an application's data: a relative folder counts for none."""
    shared = environment.get("XDG_DATA_HOME", "")
    if not shared.startswith("/"):
        shared = f"{environment['HOME']}/.local/share" if environment.get("HOME") else ""
    return f"{shared}/linarite" if shared else None


def _folder(_: type, text: str) -> Path:
    """For msgspec, which knows no paths."""
    if not text or text.startswith("~"):
        raise ValueError
    return Path(text).absolute()


def _untrusted(text: str) -> Iterator[str]:
    try:
        trusted_in(text)
    except ValueError as error:
        yield f"{variable('trust_issuers')} cannot be used: {error}."


def _unknown(environment: Mapping[str, str], root_key: str) -> Iterator[str]:
    names = [field.name for field in fields(Settings)]
    for stranger in sorted(environment):
        name = stranger.removeprefix(PREFIX).lower()
        # The variable that holds the root key may be called as one likes.
        if stranger.startswith(PREFIX) and name not in names and root_key != f"env:{stranger}":
            near = get_close_matches(name, names, 1)
            yield f"{stranger} is no setting: {f'did you mean {variable(near[0])}?' if near else 'unset it.'}"


def _exposed(
    values: Mapping[str, Any], environment: Mapping[str, str], overrides: Mapping[str, object]
) -> Iterator[str]:
    """Notebooks where others could reach them; among doors that are off they are none."""
    bind = values.get("bind", "127.0.0.1")
    if values.get("notebook") and values.get("doors", True) and not is_loopback(bind):
        notebook, by = (_given(name, environment, overrides)[1] for name in ("notebook", "bind"))
        yield (
            f"{notebook} and {by} {bind} do not go together: whoever has a notebook key runs code as the server's "
            "user, so the notebook door opens on a loopback address alone. Leave one of the two out."
        )
