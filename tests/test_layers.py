"""Imports point down: which part of the house may import which, as a table, and every module held to it."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOUNS = "whole ends kind world regions schema model hosts issuers ids moments odata errors"
MECHANISMS = (
    "calls answers gateway throttle faults verbs draft identities listing longrunning context shown routes access "
    "roles tokens grants foreign graph"
)
BELOW_ENGINE = f"{MECHANISMS} kinds settings store seal {NOUNS}"
INSIDE = f"web worker doors deploy engine {BELOW_ENGINE}"

MAY_IMPORT = {
    # what is started
    "__main__": "cli",
    "testing": f"app settings {NOUNS}",
    "cli": f"operator_desk bench demo serving siblings data_folder client proxy doorbell doctor tables {INSIDE}",
    "serving": "app client siblings interpreter data_folder listener certificates logs settings store seal",
    "siblings": "app interpreter logs settings",
    "interpreter": "",
    "guids": "",
    "whole": "",
    "data_folder": "client whole",
    "app": f"assembly doorways first_start inside data_folder listener certificates {INSIDE}",
    "assembly": f"first_start guids web engine {BELOW_ENGINE}",
    "doorways": "certificates listener doors engine settings",
    "doctor": "client certificates settings store seal",
    "tables": "bench (credentials) (demo) doctor holders membership settings",
    # the operator's commands: past the API, through the gate
    "operator_desk": "auditing client credentials faulting first_start headers holders joined membership users "
    f"settings grants (store) {NOUNS}",
    "faulting": f"first_start inside engine {BELOW_ENGINE}",
    "holders": "access roles store model ids",
    "auditing": "store model moments",
    "joined": "settings store seal errors",
    "users": f"membership first_start grants roles store seal {NOUNS}",
    "membership": f"first_start access grants roles store seal {NOUNS}",
    "headers": f"identities grants membership store seal {NOUNS}",
    "credentials": f"grants membership store seal {NOUNS}",
    "bench": f"client interpreter joined listener roles settings store seal tokens {NOUNS}",
    "client": "",
    "demo": "client",
    "doorbell": "",
    "proxy": "client hosts",
    "logs": "",
    "first_start": f"inside engine {BELOW_ENGINE}",
    "inside": f"engine {BELOW_ENGINE}",
    # what talks to the world: web translates between HTTP and the engine, and has never heard of tables
    "web": f"calls engine faults tokens grants graph settings seal {NOUNS}",
    "worker": f"background engine {BELOW_ENGINE}",
    "background": f"engine {BELOW_ENGINE}",
    "doors": f"engine {BELOW_ENGINE}",
    "deploy": f"engine {BELOW_ENGINE}",
    # the mechanisms
    "engine": BELOW_ENGINE,
    "gateway": f"calls faults foreign listing verbs longrunning context routes access tokens throttle store {NOUNS}",
    "throttle": "errors",
    "calls": f"foreign routes {NOUNS}",
    "answers": f"calls derived store {NOUNS}",
    "derived": "",
    "faults": f"calls store seal {NOUNS}",
    "listing": f"verbs context shown routes access store {NOUNS}",
    "draft": f"identities context store {NOUNS}",
    "identities": f"context store {NOUNS}",
    "verbs": f"draft identities longrunning context shown routes store {NOUNS}",
    "longrunning": f"context shown store {NOUNS}",
    "context": f"routes access roles store {NOUNS}",
    "routes": NOUNS,
    "shown": NOUNS,
    "access": f"roles store {NOUNS}",
    "roles": NOUNS,
    "graph": f"calls grants tokens access roles store seal {NOUNS}",
    "grants": f"faults foreign identities tokens settings store seal {NOUNS}",
    "foreign": NOUNS,
    "tokens": f"settings store seal {NOUNS}",
    # what is declared, and what is kept: kinds know no store, and the store knows no rules
    "kinds": f"roles {NOUNS}",
    "store": "seal model ids errors",
    # the nouns
    "seal": "whole schema model ids errors",
    "kind": "world schema model ids errors",
    "world": "model ids",
    "regions": "",
    "schema": "model ids errors",
    "model": "ids errors",
    "ids": "errors",
    "hosts": "",
    "ends": "",
    "moments": "",
    "odata": "",
    "issuers": "hosts",
    "errors": "",
    # beside app
    "settings": "hosts issuers model ids errors",
    "listener": "settings errors",
    "certificates": "settings whole errors",
    # the version, and nothing else
    "__init__": "",
}
"""Layer → the other layers that its modules may import; `(layer)` is one that may be imported for annotations alone."""

ONLY_IN = {
    "alembic": "store",
    "click": "cli",
    "psycopg": "store",
    "sqlalchemy": "store",
    "granian": "listener",
    "jinja2": "web",
    "pytest": "testing",
    "rich": "tables",
}
"""Package → the one layer that may import it."""

SOURCE = Path(__file__).parents[1] / "src/linarite"
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))


class Import(NamedTuple):
    """One imported module: its absolute dotted name, and where the import stands."""

    name: str
    line: int
    in_function: bool
    for_annotations: bool


def imports(source: str, package: str) -> Iterator[Import]:
    """Every import of a module's text; `package` is what its relative imports start from."""
    return _walk(ast.parse(source), package, in_function=False, for_annotations=False)


def _walk(node: ast.AST, package: str, *, in_function: bool, for_annotations: bool) -> Iterator[Import]:
    for name in _names(node, package):
        yield Import(name, node.lineno, in_function, for_annotations)  # type: ignore[attr-defined]
    in_function |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    guarded = node.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" else ()
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, package, in_function=in_function, for_annotations=for_annotations or child in guarded)


def _names(node: ast.AST, package: str) -> Iterator[str]:
    """`import a.b` names a.b; `from a import b` names a.b too, since b may be a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        start = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{start}.{alias.name}" for alias in node.names)


def layer_of(dotted: str) -> str | None:
    """`web` of `linarite.web.arm`, None of everything that is not ours or is the package itself."""
    words = dotted.split(".")
    return words[1] if words[0] == "linarite" and len(words) > 1 and words[1] != "__version__" else None


def violations(path: Path, source: str, table: Mapping[str, str] = MAY_IMPORT) -> Iterator[str]:
    """What a module does that the tables do not allow, as sentences; `path` is relative to the package's folder."""
    layer = path.parts[0].removesuffix(".py")
    if layer not in table:
        yield f"{path} has no place in the table"
        return
    allowed = table[layer].split()
    for found in imports(source, ".".join(["linarite", *path.parts[:-1]])):
        if found.in_function:
            yield f"{path}:{found.line} imports {found.name} inside a function"
        other = layer_of(found.name)
        if other not in {None, layer, *allowed} and not (found.for_annotations and f"({other})" in allowed):
            yield f"{path}:{found.line} imports {found.name}, and {layer} may not import {other}"
        package = found.name.partition(".")[0]
        if ONLY_IN.get(package, layer) != layer:
            yield f"{path}:{found.line} imports {package}, which only {ONLY_IN[package]} may import"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_imports_what_the_table_allows(path: Path) -> None:
    assert list(violations(path, (SOURCE / path).read_text())) == []


def test_the_table_itself_points_down() -> None:
    graph = {layer: set(re.findall(r"\w+", allowed)) for layer, allowed in MAY_IMPORT.items()}
    assert set().union(*graph.values()) <= set(graph)
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    ("path", "source", "said"),
    [
        ("web/arm.py", "import sqlalchemy", "web/arm.py:1 imports sqlalchemy, which only store may import"),
        ("web/arm.py", "from sqlalchemy.engine import Row", "imports sqlalchemy, which only store may import"),
        ("web/arm.py", "import linarite.store.tables", "web may not import store"),
        ("web/arm.py", "from linarite import store", "web may not import store"),
        ("web/arm.py", "from ..store import tables", "web may not import store"),
        ("kinds/storage.py", "from linarite.store import Trail", "kinds may not import store"),
        ("kinds/storage.py", "from linarite.seal import Keyring", "kinds may not import seal"),
        ("store/trail.py", "from linarite.access import may", "store may not import access"),
        ("engine.py", "from linarite.listener import Listener", "engine may not import listener"),
        ("kinds/storage.py", "from linarite.settings import Settings", "kinds may not import settings"),
        ("ids.py", "from .model import Resource", "ids may not import model"),
        ("ids.py", "if TYPE_CHECKING:\n    from linarite.model import Resource", "ids may not import model"),
        ("ids.py", "class A:\n    async def f():\n        import re", "ids.py:3 imports re inside a function"),
        ("utils.py", "", "utils.py has no place in the table"),
    ],
)
def test_what_the_table_forbids_is_found(path: str, source: str, said: str) -> None:
    [sentence] = violations(Path(path), source)
    assert said in sentence


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("cli.py", "import click\nfrom linarite import __version__"),
        ("web/arm.py", "from . import render\nfrom .render import page\nfrom linarite.web import guard"),
        ("kinds/storage.py", "from ..kind import Kind\nfrom linarite.errors import Conflict"),
        ("store/database.py", "try:\n    import sqlalchemy\nexcept ImportError:\n    pass"),
    ],
)
def test_what_the_table_allows_is_allowed(path: str, source: str) -> None:
    assert list(violations(Path(path), source)) == []


def test_a_layer_in_brackets_may_be_imported_for_annotations_alone() -> None:
    table = {"web": "(store)"}
    guarded = "if TYPE_CHECKING:\n    from linarite.store import Trail\nelse:\n    "
    assert list(violations(Path("web/arm.py"), guarded + "pass", table)) == []
    [sentence] = violations(Path("web/arm.py"), guarded + "from linarite.store import Trail", table)
    assert "web/arm.py:4" in sentence
