"""The root key, and the places where it may be kept: a file, a variable, a program. What it wraps is not known here."""

from __future__ import annotations

import base64
import os
import shlex
import signal
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from linarite import whole
from linarite.model import Secret
from linarite.seal.keyring import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.seal.keyring import Random


class RootKeyUnavailable(Exception):
    """The root key cannot be had from its source; the message is a sentence that says what to do next."""


class RootKey(bytes):
    """32 bytes that wrap a keyring. They do not print and are not pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "RootKey(…)"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return repr(self)

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a RootKey is not pickled")


def root_key(
    source: str,
    environment: Mapping[str, str],
    *,
    create: bool = False,
    random: Random = os.urandom,
    timeout: float = 10.0,
) -> RootKey:
    """The root key from where it is kept, always as base64.

    `file:PATH` is a file that its owner alone may open; with `create` it is made where it is missing, and on disk
    before this returns. `env:NAME` is a variable of `environment`. `command:ARGV` is the standard output of a program,
    run without a shell, for at most `timeout` seconds.

    Raises:
        RootKeyUnavailable: there is no key to be had there.
    """
    scheme, _, rest = source.partition(":")
    match scheme:
        case "file":
            text = _in_file(Path(rest), random if create else None)
        case "env":
            text = _in_variable(rest, environment)
        case "command":
            text = _from_command(rest, environment, timeout)
        case _:  # not repeated: it may be the key itself
            raise RootKeyUnavailable("LINARITE_ROOT_KEY must be one of file:PATH, env:NAME and command:ARGV.")
    try:
        key = RootKey(base64.b64decode(text.reveal().strip(), validate=True))
    except ValueError:
        key = RootKey()
    if len(key) != KEY:
        raise RootKeyUnavailable(
            f"What the root key's source ({scheme}) gave is not {KEY} bytes in base64: restore the key, or, if nothing "
            f"is sealed with it yet, put the output of `openssl rand -base64 {KEY}` there."
        )
    return key


def _in_file(path: Path, random: Random | None) -> Secret:
    try:
        if random is not None and not path.exists():
            _create(path, random)
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise RootKeyUnavailable(
                    f"Others than its owner may open the root key {path}: run `chmod 600 {shlex.quote(str(path))}`."
                )
            return Secret(file.read(1024).decode("ascii", "replace"))
    except FileNotFoundError:
        raise RootKeyUnavailable(
            f"There is no root key in {path}: restore the file, or point LINARITE_ROOT_KEY to where the key is."
        ) from None
    except OSError as error:
        raise RootKeyUnavailable(
            f"The root key {path} cannot be used ({error.strerror}): it must be a file of the user that runs Linarite."
        ) from None


def _create(path: Path, random: Random) -> None:
    """Make the file with a new key; where another process was first, its file stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole.put(path, base64.b64encode(random(KEY)) + b"\n", over=False)


def _in_variable(name: str, environment: Mapping[str, str]) -> Secret:
    if not environment.get(name):
        raise RootKeyUnavailable(f"The root key's variable {name} is not set: set it, or choose another source.")
    return Secret(environment[name])


def _from_command(line: str, environment: Mapping[str, str], timeout: float) -> Secret:
    try:
        program, *arguments = shlex.split(line)
    except ValueError:
        raise RootKeyUnavailable(
            "The root key's command has no words, or a quote that does not end: write command:PROGRAM ARGUMENT…"
        ) from None
    try:
        status, output, complaint = _run([program, *arguments], environment, timeout)
    except OSError as error:
        raise RootKeyUnavailable(
            f"The root key's command {program} does not start ({error.strerror}): check the name and its permissions."
        ) from None
    except subprocess.TimeoutExpired:
        raise RootKeyUnavailable(
            f"The root key's command {program} did not end in {timeout:g} seconds: run it by hand to see why."
        ) from None
    if status != 0:
        raise RootKeyUnavailable(
            f"The root key's command {program} ended with {status} ({complaint or 'and said nothing'}): run it by hand."
        )
    return output


def _run(argv: list[str], environment: Mapping[str, str], timeout: float) -> tuple[int, Secret, str]:
    """Exit status, standard output, and the first line of standard error."""
    with subprocess.Popen(  # noqa: S603 - the operator names the program; there is no shell
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        start_new_session=True,
    ) as process:
        try:
            output, complaint = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            # Also what the program started: it would hold the pipes open.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    first = next(iter(complaint.decode(errors="replace").splitlines()), "")[:200]
    return process.returncode, Secret(output.decode("ascii", "replace")), "".join(filter(str.isprintable, first))
