"""Every library that the project declares stands in docs/decisions/0002-libraries.md, and none that it does not."""

from __future__ import annotations

import json
import re
import tomllib
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]


def python_libraries() -> set[str]:
    """Names of what pyproject.toml asks for, at run time and in extras; an extra may name another one of ours."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    return {re.split(r"[^\w-]", requirement)[0] for requirement in requirements} - {project["name"]}


def node_libraries() -> set[str]:
    """Names of what package.json asks a registry for; a package that lies in our own tree is none."""
    dependencies = json.loads((ROOT / "package.json").read_text())["dependencies"]
    return {name for name, version in dependencies.items() if not version.startswith("file:")}


def explained() -> set[str]:
    """Names, or patterns of names, in the first column of the tables of what is used."""
    used, _, _ = (ROOT / "docs/decisions/0002-libraries.md").read_text().partition("### Turned down")
    return set(re.findall(r"^\| ([\w*-]+) \|", used, re.MULTILINE)) - {"library", "package"}


def test_every_library_is_explained() -> None:
    declared = python_libraries() | node_libraries()
    assert {name for name in declared if not any(fnmatch(name, pattern) for pattern in explained())} == set()


def test_every_explained_library_is_declared() -> None:
    declared = python_libraries() | node_libraries()
    assert {pattern for pattern in explained() if not any(fnmatch(name, pattern) for name in declared)} == set()


def test_every_python_library_is_locked_with_its_hash() -> None:
    lock = "\n".join(path.read_text() for path in ROOT.glob("requirements*.lock"))
    locked = re.findall(r"^([\w.-]+)(?:\[.*\])?==.*\\\n +--hash=", lock, re.MULTILINE)
    assert python_libraries() <= set(locked)
