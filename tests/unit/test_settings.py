"""Settings: defaults, where values come from, and every kind of mistake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from linarite.settings import BadSettings, Settings, load, rows, variable

HOME = {"HOME": "/home/ada"}
NAMES = tuple(Settings.__struct_fields__)


def problem(environment: dict[str, str], **overrides: object) -> str:
    """The one problem of these settings."""
    with pytest.raises(BadSettings) as caught:
        load({**HOME, **environment}, **overrides)
    assert len(caught.value.problems) == 1
    assert str(caught.value) == caught.value.problems[0]
    return str(caught.value)


# ── defaults ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_any_variable_the_defaults_hold() -> None:
    settings = load(HOME)
    assert {name: getattr(settings, name) for name in NAMES} == {
        "data": Path("/home/ada/.local/share/linarite"),
        "bind": "127.0.0.1",
        "port": 8443,
        "database": "",
        "root_key": "file:/home/ada/.local/share/linarite/root.key",
        "seed": "sample",
        "lro": "realistic",
        "lro_delay": 0.0,
        "lro_retry_after": 1,
        "storage_id_member": "documented",
        "resync": "manual",
        "location": "eastus",
        "body_limit": 4 * 1024 * 1024,
        "snapshot_rows": 30_000,
        "open_secrets": True,
        "implicit": True,
        "token_lifetime": 3599,
        "imds": "",
        "trust_issuers": "",
        "password_grant": False,
        "assertion_replay": "allow",
        "log_level": "info",
        "log_format": "text",
        "node_modules": Path(__file__).parents[2] / "node_modules",
        "registry_upstream": "embedded",
        "throttle": False,
        "workers": 1,
        "doors": True,
        "notebook": False,
    }


def test_every_default_that_stands_in_the_class_is_allowed() -> None:
    written = {row.variable: row.default for row in rows(HOME)}
    assert load({**HOME, **written}) == load(HOME)


@pytest.mark.parametrize(
    ("environment", "data"),
    [
        ({"XDG_DATA_HOME": "/srv/share", "HOME": "/home/ada"}, "/srv/share/linarite"),
        ({"XDG_DATA_HOME": "/srv/share"}, "/srv/share/linarite"),
        ({"XDG_DATA_HOME": "", "HOME": "/home/ada"}, "/home/ada/.local/share/linarite"),
        ({"XDG_DATA_HOME": "relative", "HOME": "/home/ada"}, "/home/ada/.local/share/linarite"),
    ],
)
def test_the_data_folder_follows_the_xdg_specification(environment: dict[str, str], data: str) -> None:
    assert load(environment).data == Path(data)


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}, {"XDG_DATA_HOME": "relative"}])
def test_without_a_home_the_data_folder_must_be_told(environment: dict[str, str]) -> None:
    with pytest.raises(BadSettings, match="LINARITE_DATA is not set, and without HOME it has no default: set it to"):
        load(environment)
    assert load(environment, data="/srv/linarite").data == Path("/srv/linarite")


def test_the_root_key_lies_in_the_data_folder_unless_told() -> None:
    assert load({"LINARITE_DATA": "/srv/l"}).root_key == "file:/srv/l/root.key"
    assert Settings(data=Path("/srv/l")).root_key == "file:/srv/l/root.key"
    assert load({"LINARITE_DATA": "/srv/l", "LINARITE_ROOT_KEY": "env:K"}).root_key == "env:K"


def test_a_relative_data_folder_is_taken_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({"LINARITE_DATA": "here"}).data == tmp_path / "here"
    assert load({}, data=Path("there")).data == tmp_path / "there"


# ── where values come from ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("data", "/srv/linarite", Path("/srv/linarite")),
        ("bind", "::1", "::1"),
        ("bind", "ml.internal", "ml.internal"),
        ("port", "0", 0),
        ("port", " 65535 ", 65535),
        ("database", "postgresql://ada:pw@db:5432/linarite?sslmode=require", None),
        ("registry_upstream", "https://ada:p%40ss@registry.example:5000/", None),
        ("registry_upstream", "http://[::1]:5000", None),
        ("registry_upstream", "unix:///run/registry.sock", None),
        ("root_key", "command:pass show linarite", None),
        ("root_key", "file:/run/secrets/root key", None),
        ("seed", "none", "none"),
        ("lro", "immediate", "immediate"),
        ("lro_delay", "0.25", 0.25),
        ("lro_delay", "2", 2.0),
        ("lro_retry_after", "600", 600),
        ("storage_id_member", "both", "both"),
        ("resync", "auto", "auto"),
        ("location", "westeurope", "westeurope"),
        ("body_limit", "1", 1),
        ("snapshot_rows", "1", 1),
        ("token_lifetime", "60", 60),
        ("log_level", "debug", "debug"),
        ("log_format", "json", "json"),
        ("workers", "64", 64),
        ("doors", "false", False),
        ("doors", "0", False),
        ("doors", "TRUE", True),
    ],
)
def test_a_variable_sets_a_value_of_its_type(name: str, text: str, value: object) -> None:
    found = getattr(load({**HOME, variable(name): text}), name)
    expected = text if value is None else value
    assert (found, type(found)) == (expected, type(expected))


def test_an_empty_variable_is_not_set() -> None:
    assert load({**HOME, **{variable(name): " " for name in NAMES}}) == load(HOME)


def test_the_command_line_goes_before_the_environment_and_none_says_nothing() -> None:
    settings = load({**HOME, "LINARITE_PORT": "1", "LINARITE_WORKERS": "2"}, port=3, workers=None, doors=False)
    assert (settings.port, settings.workers, settings.doors) == (3, 2, False)


def test_the_command_line_can_say_sqlite_where_the_environment_says_postgresql() -> None:
    assert load({**HOME, "LINARITE_DATABASE": "postgresql://db/l"}, database="").database == ""


def test_blanks_around_a_value_do_not_count() -> None:
    assert load({**HOME, "LINARITE_SEED": " none\n"}, location="westeurope\n") == load(
        HOME, seed="none", location="westeurope"
    )


def test_a_variable_that_the_command_line_goes_before_need_not_be_right() -> None:
    assert load({**HOME, "LINARITE_PORT": "x"}, port=3).port == 3


def test_an_override_that_is_no_setting_is_a_defect_of_the_caller() -> None:
    with pytest.raises(TypeError, match="not settings: colour, prot"):
        load(HOME, prot=1, colour="blue", port=8443)


def test_settings_do_not_change() -> None:
    settings: Any = load(HOME)
    with pytest.raises(AttributeError):
        settings.port = 1


# ── mistakes ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "wrong", "allowed"),
    [
        ("data", "~/linarite", "a path without ~, which only shells expand"),
        ("bind", "127.0.0.1 8443", "an IP address or a host name, without a port"),
        ("bind", "https://localhost", "an IP address or a host name, without a port"),
        ("port", "65536", "a whole number from 0 to 65535"),
        ("port", "-1", "a whole number from 0 to 65535"),
        ("port", "https", "a whole number from 0 to 65535"),
        ("port", "84.5", "a whole number from 0 to 65535"),
        ("port", "null", "a whole number from 0 to 65535"),
        ("database", "linarite.db", "empty, or a URL that begins with postgresql://"),
        ("database", "postgres://db/linarite", "empty, or a URL that begins with postgresql://"),
        ("database", "postgresql://", "empty, or a URL that begins with postgresql://"),
        *(
            ("registry_upstream", text, "embedded, or the URL of a registry: http://, https:// or unix:///path")
            for text in ("upstream", "registry:5000", "http://", "http://h/path", "http://h:x", "unix://socket")
        ),
        ("seed", "Sample", "one of sample, none"),
        ("lro", "fast", "one of immediate, realistic"),
        ("lro_delay", "-0.1", "a number from 0 to 3600"),
        ("lro_delay", "nan", "a number from 0 to 3600"),
        ("lro_delay", "inf", "a number from 0 to 3600"),
        ("lro_delay", "soon", "a number from 0 to 3600"),
        ("lro_retry_after", "601", "a whole number from 0 to 600"),
        ("lro_retry_after", "0.5", "a whole number from 0 to 600"),
        ("storage_id_member", "none", "one of documented, wire, both"),
        ("resync", "true", "one of manual, auto"),
        ("location", "East US", "an Azure location's name in small letters and digits, such as westeurope"),
        ("body_limit", "4MB", "a whole number from 1 to 1073741824"),
        ("body_limit", "0", "a whole number from 1 to 1073741824"),
        ("snapshot_rows", "0", "a whole number from 1 to 1000000000"),
        ("token_lifetime", "0", "a whole number from 1 to 86400"),
        ("token_lifetime", "86401", "a whole number from 1 to 86400"),
        ("log_level", "verbose", "one of debug, info, warning, error"),
        ("log_format", "xml", "one of text, json"),
        ("workers", "0", "a whole number from 1 to 64"),
        ("workers", "65", "a whole number from 1 to 64"),
        ("doors", "yes", "true or false"),
        ("doors", "2", "true or false"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_what_is(name: str, wrong: str, allowed: str) -> None:
    assert problem({variable(name): wrong}) == f"{variable(name)} is {wrong!r}, and must be {allowed}."


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"port": 70000}, "--port is '70000', and must be a whole number from 0 to 65535."),
        ({"workers": True}, "--workers is 'true', and must be a whole number from 1 to 64."),
        ({"lro_retry_after": 0.5}, "--lro-retry-after is '0.5', and must be a whole number from 0 to 600."),
        ({"data": ""}, "--data is '', and must be a path without ~, which only shells expand."),
        ({"location": ""}, "--location is '', and must be an Azure location's name in small letters"),
    ],
)
def test_a_wrong_option_is_called_as_the_command_line_does(overrides: dict[str, object], sentence: str) -> None:
    assert problem({}, **overrides).startswith(sentence)


@pytest.mark.parametrize(
    ("stranger", "answer"),
    [
        ("LINARITE_PROT", "did you mean LINARITE_PORT?"),
        ("LINARITE_DB", "unset it."),
        ("LINARITE_LOGLEVEL", "did you mean LINARITE_LOG_LEVEL?"),
        ("LINARITE_RETRY_AFTER", "did you mean LINARITE_LRO_RETRY_AFTER?"),
        ("LINARITE_TELEPHONE", "unset it."),
        ("LINARITE_", "unset it."),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_name_and_without_its_value(stranger: str, answer: str) -> None:
    assert problem({stranger: "hunter2"}) == f"{stranger} is no setting: {answer}"


def test_variables_of_others_are_not_looked_at() -> None:
    assert load({**HOME, "PORT": "x", "MY_LINARITE_PORT": "x", "linarite_port": "x"}) == load(HOME)


def test_the_variable_that_holds_the_root_key_may_be_called_as_one_likes() -> None:
    held = {"LINARITE_MY_ROOT": "hunter2"}
    assert load({**HOME, **held, "LINARITE_ROOT_KEY": "env:LINARITE_MY_ROOT"}).root_key == "env:LINARITE_MY_ROOT"
    assert load({**HOME, **held}, root_key="env:LINARITE_MY_ROOT").root_key == "env:LINARITE_MY_ROOT"
    assert "LINARITE_MY_ROOT" in problem({**held, "LINARITE_ROOT_KEY": "env:LINARITE_OTHER"})


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "192.0.2.1", "server.example.org"])  # noqa: S104 - refused
def test_notebooks_are_refused_where_others_could_reach_them(bind: str) -> None:
    said = problem({"LINARITE_NOTEBOOK": "true", "LINARITE_BIND": bind})
    assert said.startswith(f"LINARITE_NOTEBOOK and LINARITE_BIND {bind} do not go together: whoever has a notebook key")
    assert problem({"LINARITE_BIND": bind}, notebook=True).startswith(f"--notebook and LINARITE_BIND {bind} do not")
    assert not load({**HOME, "LINARITE_NOTEBOOK": "true"}, bind=bind, doors=False).doors


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST"])
def test_notebooks_may_be_had_on_loopback(bind: str) -> None:
    assert load({**HOME, "LINARITE_NOTEBOOK": "true", "LINARITE_BIND": bind}).notebook


def test_all_problems_are_told_together() -> None:
    with pytest.raises(BadSettings) as caught:
        load({"LINARITE_PORT": "x", "LINARITE_WORKERS": "0", "LINARITE_PROT": "1", "LINARITE_LRA": "1"}, seed="all")
    assert [re.split(r"[ ,]", each)[0] for each in caught.value.problems] == [
        "LINARITE_DATA",
        "LINARITE_PORT",
        "--seed",
        "LINARITE_WORKERS",
        "LINARITE_LRA",
        "LINARITE_PROT",
    ]
    assert str(caught.value).splitlines() == list(caught.value.problems)


# ── secrets in settings ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:hunter2@db:5432/l", "postgresql://ada:…@db:5432/l"),
        ("postgresql://ada:hunt@er2:/#@db/l", "postgresql://ada:…@db/l"),
        ("postgresql://:hunter2@db/l", "postgresql://:…@db/l"),
        ("postgresql://ada@home/:hunter2@db/l", "postgresql://ada@home/:…@db/l"),
        ("postgresql://db/l?user=ada&password=hunter2&x=1", "postgresql://db/l?user=ada&password=…&x=1"),
        ("postgresql://db/l?sslpassword=hunter2", "postgresql://db/l?sslpassword=…"),
        ("postgresql://ada@db:5432/l?sslmode=require", "postgresql://ada@db:5432/l?sslmode=require"),
        ("postgresql://db:5432/l", "postgresql://db:5432/l"),
        ("postgresql:///l", "postgresql:///l"),
    ],
)
def test_the_databases_password_is_not_shown(url: str, shown: str) -> None:
    environment = {**HOME, "LINARITE_DATABASE": url}
    settings = load(environment)
    assert settings.database == url
    assert shown in {row.value for row in rows(environment)}
    for text in (repr(settings), str(settings), f"{settings}", pretty_repr(settings)):
        assert shown in text
        assert "er2" not in text


def test_the_upstreams_password_is_not_shown() -> None:
    environment = {**HOME, "LINARITE_REGISTRY_UPSTREAM": "https://ada:hunter2@registry.example"}
    assert "https://ada:…@registry.example" in {row.value for row in rows(environment)}
    assert "hunter2" not in repr(load(environment))
    with pytest.raises(BadSettings) as refused:
        load({**HOME, "LINARITE_REGISTRY_UPSTREAM": "https://ada:hunter2@registry.example/path"})
    assert "hunter2" not in str(refused.value)


@given(password=st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=3))
@example(password="//0")
def test_no_password_before_a_host_is_shown(password: str) -> None:
    assert load({**HOME, "LINARITE_DATABASE": f"postgresql://u:{password}@h/l"}).__rich_repr__()[3] == (
        "database",
        "postgresql://u:…@h/l",
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mysql://ada:hunter2@db/l", "mysql://ada:…@db/l"),
        ("ada:hunter2@db/l", "ada:…@db/l"),
        ("ada:hunt\ner2@db/l", "ada:…@db/l"),
        ("postgresql://ada l:hunt er2@db/l", "postgresql://ada l:…@db/l"),
        ("host=db user=ada password=hunter2", "host=db user=ada password=…"),
        ("host=db PASSWORD=hunter2 user=ada", "host=db PASSWORD=… user=ada"),
    ],
)
def test_the_password_in_a_wrong_url_is_not_shown_either(url: str, shown: str) -> None:
    assert problem({"LINARITE_DATABASE": url}).startswith(f"LINARITE_DATABASE is {shown!r}, and must be empty, or a")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("file:/srv/root.key", "file:/srv/root.key"),
        ("env:ROOT", "env:ROOT"),
        ("command:pass", "command:pass …"),
        ("command: vault kv get -token=hunter2", "command: vault …"),
    ],
)
def test_the_arguments_of_the_root_keys_command_are_not_shown(source: str, shown: str) -> None:
    environment = {**HOME, "LINARITE_ROOT_KEY": source}
    assert load(environment).root_key == source
    assert [row.value for row in rows(environment) if row.name == "root_key"] == [shown]
    assert "hunter2" not in repr(load(environment))


@pytest.mark.parametrize("source", ["hunter2", "aHVudGVyMg==", "vault:hunter2", "file:", "env:", "command:"])
def test_what_stands_where_the_root_keys_source_should_is_not_shown(source: str) -> None:
    told = problem({"LINARITE_ROOT_KEY": source})
    assert told.endswith("must be empty, or one of file:PATH, env:NAME and command:PROGRAM ARGUMENTS.")
    assert "hunter" not in told


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_setting_has_a_row_with_its_variable_and_one_sentence_of_help() -> None:
    table = rows(HOME)
    assert tuple(row.name for row in table) == NAMES
    for row in table:
        assert row.variable == f"LINARITE_{row.name.upper()}"
        assert re.fullmatch(r"[A-Z].+[^.]\.", row.help)
        assert ". " not in row.help
        assert row.allowed


def test_a_row_tells_the_value_the_default_and_where_the_value_is_from() -> None:
    environment = {**HOME, "LINARITE_DATA": "/srv/l", "LINARITE_LRO_DELAY": "1.50", "LINARITE_PORT": "1"}
    told = {row.name: (row.value, row.default, row.origin) for row in rows(environment, port=2, doors=False)}
    assert told["data"] == ("/srv/l", "/home/ada/.local/share/linarite", "environment")
    assert told["root_key"] == ("file:/srv/l/root.key", "file:/srv/l/root.key", "default")
    assert told["lro_delay"] == ("1.5", "0", "environment")
    assert told["port"] == ("2", "8443", "command line")
    assert told["doors"] == ("false", "true", "command line")
    assert told["workers"] == ("1", "1", "default")


def test_without_a_home_the_data_folders_row_has_no_default() -> None:
    assert rows({}, data="/srv/l")[0][2:4] == ("/srv/l", "")


def test_a_table_of_wrong_settings_is_refused() -> None:
    with pytest.raises(BadSettings, match="LINARITE_PORT"):
        rows({**HOME, "LINARITE_PORT": "x"})
