"""What the code has stands in the docs: commands, settings, resource types, error codes, variables. Links lead on."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linarite import cli, errors
from linarite.client import environment
from linarite.graph.desk import TABLE
from linarite.kinds import KINDS
from linarite.roles import BUILT_IN
from linarite.settings import Row, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/linarite"
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

OF_THIS_MACHINE = {"data", "root_key", "node_modules"}
"""Settings whose default is another one on every machine."""


def page(name: str) -> str:
    return (DOCS / name).read_text()


def commands() -> dict[str, Any]:
    """The commands, by name, as the parser knows them."""
    return dict(_commands(cli.app))


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """The commands of a group, and of the groups in it under both names: `app add`."""
    for name, command in group.commands.items():
        if not command.hidden and hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        if not command.hidden and (not hasattr(command, "commands") or command.invoke_without_command):
            yield f"{before}{name}", command


def codes(*modules: Path) -> Iterator[tuple[str, int]]:
    """Azure's codes that refusals are raised with, and the status that goes with each."""
    statuses = {
        name: kind.status
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.Refusal)
    }
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(code)), *_]) if name in statuses:
                    yield code, statuses[name] if name != "Refusal" else 500


def sign_in_codes() -> set[tuple[str, str]]:
    """Entra's codes that the token service refuses with, and OAuth's word for each."""
    found: set[tuple[str, str]] = set()
    modules = (SOURCE / "grants/denied").glob("*.py")
    for node in (node for module in modules for node in ast.walk(ast.parse(module.read_text()))):
        match node:
            case ast.Call(
                func=ast.Name(id="Denied"), args=[ast.Constant(value=word), ast.Constant(value=int(number)), *_]
            ):
                found.add((f"AADSTS{number}", str(word)))
    return found


def lines_with(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", commands())
def test_every_command_and_its_options_stand_in_the_docs(name: str) -> None:
    _, _, section = page("reference/commands.md").partition(f"## linarite {name}\n")
    section, _, _ = section.partition("\n## ")
    assert section, f"there is no section for linarite {name}"
    options = [option for one in commands()[name].params for option in one.opts if option.startswith("--")]
    assert [option for option in options if f"| `{option}" not in section] == []


def test_no_command_and_no_option_stands_in_the_docs_that_is_not_there() -> None:
    text = page("reference/commands.md")
    assert set(re.findall(r"^## linarite (.+)$", text, re.MULTILINE)) == commands().keys()
    there = {option for command in commands().values() for one in command.params for option in one.opts}
    assert set(re.findall(r"^\| `(--[\w-]+)", text, re.MULTILINE)) <= there


# ── settings and variables ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("row", rows({"HOME": "/home/you"}), ids=lambda row: row.name)
def test_every_setting_stands_in_the_docs_as_it_is(row: Row) -> None:
    [line] = lines_with(page("reference/settings.md"), f"| `{row.variable}` |")
    assert line.endswith(f"| {row.allowed} | {row.help} |")
    if row.name not in OF_THIS_MACHINE:
        assert line.split(" | ")[1] == (f"`{row.default}`" if row.default else "empty")


def test_no_setting_stands_in_the_docs_that_is_not_there() -> None:
    named = {name for path in PAGES for name in re.findall(r"\bLINARITE_[A-Z_]+\b", path.read_text())}
    assert named <= {row.variable for row in rows({"HOME": "/home/you"})}


def test_every_variable_that_is_exported_is_explained() -> None:
    known = {"caBundle", "authority", "clientId", "clientSecret", "subscriptionId", "metadataUrl", "armEndpoint"}
    exported = environment(dict.fromkeys(known | {"resourceGroup", "workspace"}, ""))
    text = page("how-to/point-clients-here.md")
    assert [name for name in exported if f"`{name}`" not in text] == []


# ── resource types and roles ────────────────────────────────────────────────────────────────────────────────────────


def test_every_resource_type_stands_in_the_docs_with_its_actions() -> None:
    text = page("reference/resource-types.md")
    for kind in KINDS:
        if kind.is_progress or kind.short_type == "operations":
            continue
        [line] = lines_with(text, f"| `{kind.type}` |")
        _, _, methods, actions, versions, _ = (cell.strip() for cell in line.split("|"))
        for action in (*kind.actions, *kind.provider_actions):
            assert re.search(rf"\b{action.name}\b", actions), f"{kind.type}: {action.name}"
        for method in kind.methods:
            assert method in methods, f"{kind.type}: {method}"
        assert ("list" in methods) == bool(kind.lists), kind.type
        assert versions.startswith("any" if kind.versions.any_dated else str(len(kind.versions.listed))), kind.type


def test_the_places_of_long_running_operations_stand_in_the_docs() -> None:
    text = page("reference/resource-types.md")
    assert [kind.type for kind in KINDS if kind.is_progress and kind.type.rpartition("/")[2] not in text] == []


def test_every_role_stands_in_the_docs() -> None:
    text = page("reference/resource-types.md").replace("\n", " ")
    assert [role.name for role in BUILT_IN if role.name not in text] == []


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def modules() -> list[Path]:
    """Everything but the doors and Graph, which speak the languages of other services."""
    others = {"doors", "graph"}
    return [path for path in SOURCE.rglob("*.py") if not others & set(path.relative_to(SOURCE).parts)]


def test_every_error_code_stands_in_the_docs_with_its_status() -> None:
    text = page("reference/errors.md")
    found = sorted(set(codes(*modules())))
    assert len(found) > 40
    for code, status in found:
        [line] = lines_with(text, f"| `{code}` |")
        assert str(status) in line.split("|")[2], line


def test_every_operation_and_every_code_of_graph_stands_in_the_docs() -> None:
    text = page("reference/graph.md")
    named = set(re.findall(r"`([A-Z]+) /([^`]*)`", text))
    assert {(method, path.replace("{id}", "*")) for method, path in named} == set(TABLE)
    for code, status in codes(*(SOURCE / "graph").glob("*.py")):
        found = lines_with(text, f"| `{code}` |")
        assert code == "InternalServerError" or str(status) in found[0].split("|")[2], code


def test_every_error_code_of_the_token_service_stands_in_the_docs() -> None:
    lines = page("reference/errors.md").splitlines()
    found = sign_in_codes()
    assert len(found) > 15
    missing = [(code, word) for code, word in found if not any(f"| `{code}` | `{word}` |" in line for line in lines)]
    assert missing == []


def test_no_error_code_stands_in_the_docs_that_is_not_there() -> None:
    text = page("reference/errors.md")
    there = {code for code, _ in codes(*modules())} | {code for code, _ in sign_in_codes()}
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == there


# ── links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def links(path: Path) -> Iterator[Path]:
    """Files and folders of this repository that a page points to."""
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
        if "://" not in target:
            yield (path.parent / target).resolve()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    assert [str(target) for target in links(path) if not target.exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting += here.rglob("*.md") if here.is_dir() else links(here) if here.suffix == ".md" else ()
    assert [str(path) for path in DOCS.rglob("*.md") if path not in reached] == []
