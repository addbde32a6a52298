"""`linarite app`: the applications that may sign in, and what they prove themselves with."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from linarite.cli.groups import Group
from linarite.cli.options import PATH, as_json, data, database, fail, grant, operate

if TYPE_CHECKING:
    from pathlib import Path

applications = Group("app", help="Add, list and remove the applications that may sign in.")

known_name = click.argument("name", help="Its name, client id or object id.")


@applications.command("add")
@click.argument("name", help="What people call it.")
@click.option("--role", help="Role that it gets, by name or id; none unless given.")
@click.option("--scope", help="Id of what it is for; the subscription unless given.")
@click.option(
    "--certificate", type=PATH, help="PEM file with the certificate that it proves itself with, instead of a secret."
)
@click.option(
    "--redirect", "redirects", multiple=True, help="Address for answers to users' browsers; can be given again."
)
@click.option("--public", is_flag=True, help="Without a secret, as a program on users' machines.")
@data
@database
@as_json
def app_add(
    *,
    name: str,
    role: str | None,
    scope: str | None,
    data: Path | None,
    database: str | None,
    as_json: bool,
    **more: object,
) -> None:
    """Add an application, and print its secret this once."""
    made = operate("add_application", data, database, name, **grant(role, scope), **more)
    import_module("linarite.tables").print_application(*made, as_json=as_json)


@applications.command("list")
@data
@database
@as_json
def app_list(*, data: Path | None, database: str | None, as_json: bool) -> None:
    """List the applications with their ids and roles."""
    found = operate("list_applications", data, database)
    import_module("linarite.tables").print_applications(found, as_json=as_json)


@applications.command("remove")
@known_name
@data
@database
def app_remove(*, name: str, data: Path | None, database: str | None) -> None:
    """Remove an application: its secrets, tokens and roles count no more."""
    gone = operate("remove_application", data, database, name)
    click.echo(f"Removed {gone}.")


@applications.command("consent")
@known_name
@data
@database
def app_consent(*, name: str, data: Path | None, database: str | None) -> None:
    """Consent for everybody: the application may act for every user at every resource."""
    consented = operate("consent", data, database, name)
    click.echo(f"{consented} may act for every user.")


@applications.group("credential", cls=Group)
def credentials() -> None:
    """Give, list and take what an application proves itself with."""


application = click.argument("name", help="The application's name, client id or object id.")


@credentials.command("add")
@application
@click.option("--certificate", type=PATH, help="PEM file with a certificate.")
@click.option("--issuer", help="Issuer whose tokens it proves itself with.")
@click.option("--subject", help="Subject that such a token must have.")
@click.option("--audience", default="api://AzureADTokenExchange", help="Audience that such a token must have.")
@data
@database
@as_json
def credential_add(
    *,
    name: str,
    certificate: Path | None,
    issuer: str | None,
    subject: str | None,
    audience: str,
    data: Path | None,
    database: str | None,
    as_json: bool,
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
@application
@data
@database
@as_json
def credential_list(*, name: str, data: Path | None, database: str | None, as_json: bool) -> None:
    """List what an application proves itself with."""
    found = operate("list_credentials", data, database, name)
    import_module("linarite.tables").print_credentials(found, as_json=as_json)


@credentials.command("remove")
@application
@click.argument("credential", help="The credential's id.")
@data
@database
def credential_remove(*, name: str, credential: str, data: Path | None, database: str | None) -> None:
    """Remove a credential: it signs nobody in any more."""
    operate("take_credential", data, database, name, credential)
    click.echo(f"Removed {credential}.")
