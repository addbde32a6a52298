"""`linarite app`: the applications that may sign in, and what they prove themselves with."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path  # noqa: TC003 - typer reads what it is when a command runs
from typing import Annotated

import typer

from linarite.cli.options import AsJson, Data, Database, fail, operate

applications = typer.Typer(help="Add, list and remove the applications that may sign in.", no_args_is_help=True)


@applications.command("add")
def app_add(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    *,
    role: Annotated[str | None, typer.Option(help="Role that it gets, by name or id; none unless given.")] = None,
    scope: Annotated[str | None, typer.Option(help="Id of what it is for; the subscription unless given.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="PEM file with the certificate that it proves itself with, instead of a secret.")
    ] = None,
    redirect: Annotated[
        list[str] | None, typer.Option(help="Address for answers to users' browsers; can be given again.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Without a secret, as a program on users' machines.")
    ] = False,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Add an application, and print its secret this once."""
    if scope is not None and role is None:
        fail("--scope says what a role is for: give --role too.")
    made = operate(
        "add_application",
        data,
        database,
        name,
        role=role,
        scope=scope,
        certificate=certificate,
        redirects=redirect or (),
        public=public,
    )
    import_module("linarite.tables").print_application(*made, as_json=as_json)


@applications.command("list")
def app_list(*, data: Data = None, database: Database = None, as_json: AsJson = False) -> None:
    """List the applications with their ids and roles."""
    found = operate("list_applications", data, database)
    import_module("linarite.tables").print_applications(found, as_json=as_json)


@applications.command("remove")
def app_remove(
    name: Annotated[str, typer.Argument(help="Its name, client id or object id.")],
    *,
    data: Data = None,
    database: Database = None,
) -> None:
    """Remove an application: its secrets, tokens and roles count no more."""
    gone = operate("remove_application", data, database, name)
    typer.echo(f"Removed {gone}.")


@applications.command("consent")
def app_consent(
    name: Annotated[str, typer.Argument(help="Its name, client id or object id.")],
    *,
    data: Data = None,
    database: Database = None,
) -> None:
    """Consent for everybody: the application may act for every user at every resource."""
    consented = operate("consent", data, database, name)
    typer.echo(f"{consented} may act for every user.")


credentials = typer.Typer(help="Give, list and take what an application proves itself with.", no_args_is_help=True)
applications.add_typer(credentials, name="credential")

Application = Annotated[str, typer.Argument(help="The application's name, client id or object id.")]


@credentials.command("add")
def credential_add(
    name: Application,
    *,
    certificate: Annotated[Path | None, typer.Option(help="PEM file with a certificate.")] = None,
    issuer: Annotated[str | None, typer.Option(help="Issuer whose tokens it proves itself with.")] = None,
    subject: Annotated[str | None, typer.Option(help="Subject that such a token must have.")] = None,
    audience: Annotated[str, typer.Option(help="Audience that such a token must have.")] = "api://AzureADTokenExchange",
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Add a certificate or a trusted issuer; one more secret, shown this once, where neither is given."""
    if (issuer is None) != (subject is None) or (issuer is not None and certificate is not None):
        fail("Give --certificate; or --issuer with --subject; or neither, for one more secret.")
    secret = None
    if certificate is not None:
        id_ = operate("give_certificate", data, database, name, certificate)
    elif issuer is not None:
        id_ = operate("trust_issuer", data, database, name, issuer=issuer, subject=subject, audience=audience)
    else:
        id_, secret = operate("give_secret", data, database, name)
    import_module("linarite.tables").print_credential(id_, secret, as_json=as_json)


@credentials.command("list")
def credential_list(
    name: Application, *, data: Data = None, database: Database = None, as_json: AsJson = False
) -> None:
    """List what an application proves itself with."""
    found = operate("list_credentials", data, database, name)
    import_module("linarite.tables").print_credentials(found, as_json=as_json)


@credentials.command("remove")
def credential_remove(
    name: Application,
    credential: Annotated[str, typer.Argument(help="The credential's id.")],
    *,
    data: Data = None,
    database: Database = None,
) -> None:
    """Remove a credential: it signs nobody in any more."""
    operate("take_credential", data, database, name, credential)
    typer.echo(f"Removed {credential}.")
