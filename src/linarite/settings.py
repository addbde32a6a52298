"""Settings: every knob of Linarite, each with its type, its bounds, its default and what it is for.

A setting's environment variable is `LINARITE_` and its name in capitals; the command line's options go before it. This
module reads no environment of its own, and knows nothing of what the settings do.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo, fields, force_setattr

from linarite.hosts import is_loopback
from linarite.issuers import trusted_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PREFIX = "LINARITE_"

Origin = Literal["default", "environment", "command line"]


class BadSettings(Exception):
    """Some settings cannot be had; `problems` are sentences, one each, and the message is all of them."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one instance is told; made by `load`, which checks it. Prints without the secrets in it."""

    data: Annotated[
        Path,
        Meta(
            description="Folder that keeps the database, the certificates and the root key.",
            extra={"allowed": "a path without ~, which only shells expand"},
        ),
    ]
    bind: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Za-z_.:-]+$",
            description="Address to listen on; any but a loopback address lets other machines in.",
            extra={"allowed": "an IP address or a host name, without a port"},
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="HTTPS port of the one origin; 0 picks a free one.")] = 8443
    database: Annotated[
        str,
        Meta(
            pattern=r"^(postgresql://\S+)?$",
            description="PostgreSQL's URL; empty is SQLite in the data folder.",
            extra={"allowed": "empty, or a URL that begins with postgresql://"},
        ),
    ] = ""
    root_key: Annotated[
        str,
        Meta(
            pattern=r"^((file|env|command):.+)?$",
            description="Where the key that seals all secrets is kept; empty is file:root.key in the data folder.",
            extra={"allowed": "empty, or one of file:PATH, env:NAME and command:PROGRAM ARGUMENTS"},
        ),
    ] = ""
    seed: Annotated[
        Literal["sample", "none"], Meta(description="What the first start puts in: the sample workspace, or nothing.")
    ] = "sample"
    lro: Annotated[
        Literal["immediate", "realistic"],
        Meta(description="Whether long-running operations are done with their first answer, or answer 202 as Azure's."),
    ] = "realistic"
    lro_delay: Annotated[
        float, Meta(ge=0, le=3600, description="Seconds that a long-running operation takes at least.")
    ] = 0.0
    lro_retry_after: Annotated[
        int,
        Meta(
            ge=0, le=600, description="Seconds that clients are asked to wait between polls; Azure declares 10 to 600."
        ),
    ] = 1
    storage_id_member: Annotated[
        Literal["documented", "wire", "both"],
        Meta(
            description="Whether listKeys names the storage account as the api-version documents (for 2023-10-01 "
            "userStorageResourceId), as Azure sends it (userStorageArmId), or both."
        ),
    ] = "documented"
    resync: Annotated[
        Literal["manual", "auto"],
        Meta(description="Whether a workspace learns of rotated keys at resyncKeys, as in Azure, or at once."),
    ] = "manual"
    location: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9]+$",
            description="Azure location of the sample's resources.",
            extra={"allowed": "an Azure location's name in small letters and digits, such as westeurope"},
        ),
    ] = "eastus"
    body_limit: Annotated[
        int,
        Meta(ge=1, le=2**30, description="Bytes that a request's body may have; Azure Resource Manager takes 4 MB."),
    ] = 4 * 2**20
    snapshot_rows: Annotated[
        int,
        Meta(ge=1, le=10**9, description="Rows of each sort that a process remembers at most, to spare the database."),
    ] = 50_000
    implicit: Annotated[
        bool, Meta(description="Whether browsers are given tokens themselves, and not codes for them alone.")
    ] = True
    token_lifetime: Annotated[int, Meta(ge=1, le=86_400, description="Seconds until an access token expires.")] = 3599
    imds: Annotated[
        str,
        Meta(
            pattern=r"^(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+)?$",
            description="Resource that this machine stands for: programs on it get tokens of its managed identities, "
            "as on a virtual machine of Azure.",
            extra={"allowed": "empty, or the id of a resource"},
        ),
    ] = ""
    trust_issuers: Annotated[
        str,
        Meta(
            description="Other issuers whose tokens count for the API, each with its audiences, and its tenants where "
            "it has some.",
            extra={"allowed": 'empty, or a JSON list of {"issuer", "audiences", "tenants", "metadata"}'},
        ),
    ] = ""
    password_grant: Annotated[
        bool, Meta(description="Whether applications may send a user's name and password themselves: for tests alone.")
    ] = False
    assertion_replay: Annotated[
        Literal["allow", "refuse"],
        Meta(
            description="Whether a client assertion that an application signed counts again; MSAL for Python presents "
            "each for nine minutes."
        ),
    ] = "allow"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least severity of what is logged.")
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], Meta(description="Whether log lines are for people or for programs.")
    ] = "text"
    node_modules: Annotated[
        Path,
        Meta(
            description="Folder in which `npm ci` put the blob door's packages.",
            extra={"allowed": "a path without ~, which only shells expand"},
        ),
    ] = Path(__file__).parents[2] / "node_modules"
    registry_upstream: Annotated[
        str,
        Meta(
            pattern=r"^(embedded|https?://([^\s/?#@]*@)?([\w.-]+|\[[\da-fA-F:]+\])(:\d{1,5})?/?|unix:///\S+)$",
            description="What keeps the images of the registries: this server, or another OCI registry.",
            extra={"allowed": "embedded, or the URL of a registry: http://, https:// or unix:///path"},
        ),
    ] = "embedded"
    throttle: Annotated[
        bool, Meta(description="Whether requests beyond Azure's token buckets are refused with 429.")
    ] = False
    workers: Annotated[int, Meta(ge=1, le=64, description="Processes that serve together.")] = 1
    doors: Annotated[
        bool, Meta(description="Whether the servers that the keys open (blobs, registry, telemetry, notebooks) run.")
    ] = True
    notebook: Annotated[
        bool,
        Meta(
            description="Whether notebook keys open Jupyter, on loopback alone: their holders run code as the server's "
            "user."
        ),
    ] = False

    def __post_init__(self) -> None:
        if not self.root_key:
            force_setattr(self, "root_key", _root_key_beside(self.data))

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(field.name, _shown(field.name, getattr(self, field.name))) for field in fields(self)]


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
            problems.append(f"{label} is not set, and without HOME it has no default: set it to {_allowed(field)}.")
        elif value is not None:
            try:
                values[field.name] = msgspec.convert(value, field.type, strict=False, dec_hook=_folder)
            except msgspec.ValidationError:
                problems.append(f"{label} is {_shown(field.name, value)!r}, and must be {_allowed(field)}.")
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
    computed = {"data": _home_of_data(environment) or "", "root_key": _root_key_beside(settings.data)}
    return [
        Row(
            field.name,
            variable(field.name),
            _shown(field.name, getattr(settings, field.name)),
            _shown(field.name, computed.get(field.name, field.default)),
            _allowed(field),
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


def _root_key_beside(data: Path) -> str:
    return f"file:{data / 'root.key'}"


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


# ── what is told of it ──────────────────────────────────────────────────────────────────────────────────────────────


def _allowed(field: FieldInfo) -> str:
    kind, meta = get_args(field.type)
    if meta.extra:
        return str(meta.extra["allowed"])
    if kind is bool:
        return "true or false"
    if choices := get_args(kind):
        return f"one of {', '.join(choices)}"
    return f"{'a whole number' if kind is int else 'a number'} from {meta.ge} to {meta.le}"


# Up to the last @, for a password with an @ in it is as likely as one that is quoted.
_PASSWORD_BEFORE_HOST = re.compile(r"^((?:[\w+.-]+://)?[^:]*:)(?!//).*@", re.DOTALL)
_PASSWORD_BY_NAME = re.compile(r"(password=)[^&\s]*", re.IGNORECASE)


def _shown(name: str, value: object) -> str:
    """A value as it was or could be given, without the secret in it; also of a value that is not allowed."""
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    if name in {"database", "registry_upstream"}:
        return _PASSWORD_BY_NAME.sub(r"\1…", _PASSWORD_BEFORE_HOST.sub(r"\1…@", text))
    if name == "root_key" and not text.startswith(("file:", "env:")):
        # A command's arguments may be secret, and what is no source may be the key itself.
        command = re.match(r"command:\s*\S+", text)
        return f"{command[0]} …" if command else "…"
    return text
