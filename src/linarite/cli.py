"""The command line. Every error is a sentence with the next step, on standard error, with exit status 1.

A command imports what it alone needs when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from linarite import client, doorbell
from linarite.settings import BadSettings, Settings, load, rows

if TYPE_CHECKING:
    from linarite.data_folder import Ready

app = typer.Typer(
    help="An Azure Machine Learning workspace server that Azure's own clients cannot tell from the real thing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Data = Annotated[Path | None, typer.Option(help="Folder that holds everything; $LINARITE_DATA, or the user's own.")]
Database = Annotated[str | None, typer.Option(help="PostgreSQL URL; SQLite in the data folder unless given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer JSON.")]


@app.command()
def up(
    *,
    data: Data = None,
    ephemeral: Annotated[
        bool, typer.Option("--ephemeral", help="Keep nothing: a new folder, removed at the end.")
    ] = False,
    bind: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless given.")] = None,
    port: Annotated[int | None, typer.Option(help="HTTPS port; 0 for any free one.")] = None,
    database: Annotated[
        str | None, typer.Option(help="PostgreSQL URL; SQLite in the data folder unless given.")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="sample or none: what a first start makes.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that serve together.")] = None,
    no_doors: Annotated[bool, typer.Option("--no-doors", help="Serve the API alone.")] = False,
    notebook: Annotated[
        bool, typer.Option("--notebook", help="Let notebook keys open Jupyter: code that runs as you, on loopback.")
    ] = False,
    ready_file: Annotated[Path | None, typer.Option(help="File to write when every listener answers.")] = None,
) -> None:
    """Serve until SIGINT or SIGTERM."""
    # Until the server listens for signals itself, SIGTERM unwinds as Ctrl-C does, so that nothing is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given: dict[str, Any] = {"bind": bind, "port": port, "database": database, "seed": seed, "workers": workers}
    if no_doors:
        given["doors"] = False
    if notebook:
        given["notebook"] = True
    if not ephemeral:
        _serve(_settings(data=data, **given), ready_file)
        return
    if data is not None:
        _fail("--ephemeral keeps nothing and --data keeps everything: give one of them.")
    with tempfile.TemporaryDirectory(prefix="linarite-") as folder:
        _serve(_settings(data=Path(folder), **given), ready_file)


@app.command()
def env(*, data: Data = None, as_json: AsJson = False) -> None:
    """Print what points every client here: eval "$(linarite env)"."""
    known = _ready(data)
    if as_json:
        typer.echo(json.dumps(known, indent=2))
        return
    for name, value in client.environment(known).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def keys(
    workspace: Annotated[
        str | None, typer.Argument(help="Name, GROUP/NAME or full id; the sample unless given.")
    ] = None,
    *,
    data: Data = None,
    show: Annotated[bool, typer.Option("--show", help="Show the values.")] = False,
    as_json: AsJson = False,
) -> None:
    """List a workspace's keys; values are masked unless --show is given."""
    known = _ready(data)
    try:
        answer = client.Client(known).post(f"{client.workspace_path(known, workspace)}/listKeys", "2023-10-01")
    except (client.NotRunning, client.Refused) as error:
        _fail(str(error))
    import_module("linarite.tables").print_keys(answer, show=show, as_json=as_json)


@app.command()
def doctor(*, data: Data = None) -> None:
    """Check folder, keys, certificate, database, ports, doors, clock and trust, and say what to do."""
    settings = _settings(data=data)
    findings = list(import_module("linarite.doctor").examine(settings, os.environ))
    import_module("linarite.tables").print_findings(findings)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Show the main job end to end, in a server of its own: list keys, use them, rotate, see the old ones refused."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as by nohup
            signal.signal(number, signal.default_int_handler)  # as Ctrl-C, until the demo listens for signals itself
    try:
        telling = import_module("linarite.demo")
    except ModuleNotFoundError as error:
        _fail(f"The demo needs {error.name}, which is not installed: pip install 'linarite[demo]'")
    steps = []
    with contextlib.closing(telling.tell(os.environ)) as told:
        for step in told:
            typer.echo(f"{step.mark} {step.seconds:5.2f} s  {step.title}: {step.saying}")
            steps.append(step)
    import_module("linarite.tables").print_steps(steps)
    if any(step.held is False for step in steps):
        raise typer.Exit(1)


@app.command()
def settings(*, as_json: AsJson = False) -> None:
    """Show every setting, its value, and where that comes from."""
    try:
        found = rows(os.environ)
    except BadSettings as error:
        _fail(str(error))
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in found], indent=2, ensure_ascii=False))
        return
    import_module("linarite.tables").print_settings(found)


@app.command()
def bench(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="One short round: a look, no figures to keep.")] = False,
    workers: Annotated[int, typer.Option(help="Processes of the server that is measured.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for the figures.")] = None,
    plot: Annotated[Path | None, typer.Option(help="File for a plot of them, as SVG.")] = None,
    sizes: Annotated[
        str | None,
        typer.Option("--scale", help="Numbers of workspaces, as 1000,100000: what listKeys costs with each."),
    ] = None,
) -> None:
    """Measure the server beside a constant answer and its peers, or with ever more workspaces, in one run."""
    measuring = import_module("linarite.bench")
    settings = _settings()
    say = partial(typer.echo, err=True)
    try:
        if sizes is not None:
            rows = measuring.scale.run(_sizes(sizes), quick=quick, progress=say)
        else:
            rows = measuring.run(quick=quick, workers=workers, modules=settings.node_modules, progress=say)
    except measuring.NoLoad as error:
        _fail(str(error))
    import_module("linarite.tables").print_figures(rows)
    if json_file is not None:
        measuring.report.write_json(json_file, rows)
    if plot is not None:
        (measuring.report.write_plot if sizes is None else measuring.report.write_curve)(plot, rows)


def _sizes(text: str) -> list[int]:
    """Numbers of workspaces, each from a thousand to ten million."""
    least, most = 1_000, 10_000_000
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and least <= int(word) <= most for word in words):
        _fail(f"--scale takes numbers of workspaces from {least} to {most} with commas between them, as 1000,100000.")
    return sorted({int(word) for word in words})


applications = typer.Typer(help="Add, list and remove the applications that may sign in.", no_args_is_help=True)
app.add_typer(applications, name="app")


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
        _fail("--scope says what a role is for: give --role too.")
    made = _operate(
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
    found = _operate("list_applications", data, database)
    import_module("linarite.tables").print_applications(found, as_json=as_json)


@applications.command("remove")
def app_remove(
    name: Annotated[str, typer.Argument(help="Its name, client id or object id.")],
    *,
    data: Data = None,
    database: Database = None,
) -> None:
    """Remove an application: its secrets, tokens and roles count no more."""
    gone = _operate("remove_application", data, database, name)
    typer.echo(f"Removed {gone}.")


@applications.command("consent")
def app_consent(
    name: Annotated[str, typer.Argument(help="Its name, client id or object id.")],
    *,
    data: Data = None,
    database: Database = None,
) -> None:
    """Consent for everybody: the application may act for every user at every resource."""
    consented = _operate("consent", data, database, name)
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
        _fail("Give --certificate; or --issuer with --subject; or neither, for one more secret.")
    secret = None
    if certificate is not None:
        id_ = _operate("give_certificate", data, database, name, certificate)
    elif issuer is not None:
        id_ = _operate("trust_issuer", data, database, name, issuer=issuer, subject=subject, audience=audience)
    else:
        id_, secret = _operate("give_secret", data, database, name)
    import_module("linarite.tables").print_credential(id_, secret, as_json=as_json)


@credentials.command("list")
def credential_list(
    name: Application, *, data: Data = None, database: Database = None, as_json: AsJson = False
) -> None:
    """List what an application proves itself with."""
    found = _operate("list_credentials", data, database, name)
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
    _operate("take_credential", data, database, name, credential)
    typer.echo(f"Removed {credential}.")


@app.command()
def identity(
    resource: Annotated[str, typer.Argument(help="Full id, or a workspace's NAME or GROUP/NAME.")],
    *,
    shape: Annotated[str, typer.Option(help="app-service, azure-ml, imds or cloud-shell.")] = "app-service",
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Print what makes clients of a shell a resource's managed identity: eval "$(linarite identity RESOURCE)"."""
    if shape not in client.IDENTITY_SHAPES:
        _fail(f"--shape is one of {', '.join(client.IDENTITY_SHAPES)}.")
    known = _ready(data)
    id_, header = _operate("show_header", data, database, client.workspace_path(known, resource))
    try:
        variables = client.identity_environment(known, id_, header, shape)
    except client.NotRunning as error:
        _fail(str(error))
    if as_json:
        typer.echo(json.dumps(variables, indent=2))
        return
    for name, value in variables.items():
        typer.echo(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")


users = typer.Typer(help="Add, list and remove the users who may sign in.", no_args_is_help=True)
app.add_typer(users, name="user")

AskPassword = Annotated[
    bool, typer.Option("--ask-password", help="Ask for the password, or read it as a line of standard input.")
]


@users.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="User principal name; without a domain, one of the tenant's.")],
    *,
    display_name: Annotated[str | None, typer.Option(help="What people call them.")] = None,
    role: Annotated[str | None, typer.Option(help="Role that they get, by name or id; none unless given.")] = None,
    scope: Annotated[str | None, typer.Option(help="Id of what it is for; the subscription unless given.")] = None,
    ask_password: AskPassword = False,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Add a user; their password is made up and printed this once, unless --ask-password is given."""
    if scope is not None and role is None:
        _fail("--scope says what a role is for: give --role too.")
    password = _password() if ask_password else None
    made = _operate("add_user", data, database, name, password, shown=display_name, role=role, scope=scope)
    import_module("linarite.tables").print_user(*made, as_json=as_json)


@users.command("list")
def user_list(*, data: Data = None, database: Database = None, as_json: AsJson = False) -> None:
    """List the users with their ids and roles."""
    found = _operate("list_users", data, database)
    import_module("linarite.tables").print_users(found, as_json=as_json)


@users.command("remove")
def user_remove(
    name: Annotated[str, typer.Argument(help="Their user principal name or object id.")],
    *,
    data: Data = None,
    database: Database = None,
) -> None:
    """Remove a user: their password, tokens and roles count no more."""
    gone = _operate("remove_user", data, database, name)
    typer.echo(f"Removed {gone}.")


@users.command("password")
def user_password(
    name: Annotated[str, typer.Argument(help="Their user principal name or object id.")],
    *,
    ask_password: AskPassword = False,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Give a user another password, made up and printed this once, unless --ask-password is given."""
    password = _password() if ask_password else None
    made = _operate("change_password", data, database, name, password)
    import_module("linarite.tables").print_user(*made, as_json=as_json)


def _password() -> str:
    """A password as somebody types it twice, or as a line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")


@app.command()
def access(
    workspace: Annotated[str, typer.Argument(help="Name, GROUP/NAME or full id.")],
    *,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List who may list a workspace's keys: every principal, role, scope, and the Action that grants it."""
    found = _operate("who_has_access", data, database, workspace)
    import_module("linarite.tables").print_holders(found, as_json=as_json)


faults = typer.Typer(help="Set, list and clear faults on purpose, to test retries.", no_args_is_help=True)
app.add_typer(faults, name="fault")


@faults.command("add")
def fault_add(
    fault: Annotated[str, typer.Argument(help="429, 500, 502, 503, 504, challenge, delay, cut or lose.")],
    *,
    path: Annotated[str | None, typer.Option(help="Paths that it strikes, * for anything; all unless given.")] = None,
    method: Annotated[str | None, typer.Option(help="Method that it strikes; all unless given.")] = None,
    client: Annotated[str | None, typer.Option(help="Whom it strikes, by client or object id.")] = None,
    count: Annotated[int | None, typer.Option(help="How often it strikes; without end unless given.")] = None,
    chance: Annotated[int | None, typer.Option(help="How often in a hundred; always unless given.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of a delay, or what Retry-After says.")] = None,
    claims: Annotated[str | None, typer.Option(help="JSON that a challenge asks for.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name; one of its own unless given.")] = None,
    data: Data = None,
    database: Database = None,
) -> None:
    """Set a fault: it counts for the next request, of a server that runs too."""
    given = {
        "fault": fault,
        "path": path,
        "method": method,
        "client": client,
        "count": count,
        "chance": chance,
        "seconds": seconds,
        "claims": claims,
    }
    wanted = {one: value for one, value in given.items() if value is not None}
    typer.echo(_operate("add_fault", data, database, name, wanted)["name"])


@faults.command("list")
def fault_list(*, data: Data = None, database: Database = None, as_json: AsJson = False) -> None:
    """List the faults, and how often each struck."""
    import_module("linarite.tables").print_faults(_operate("list_faults", data, database), as_json=as_json)


@faults.command("clear")
def fault_clear(
    name: Annotated[str | None, typer.Argument(help="Name of the one; all unless given.")] = None,
    *,
    data: Data = None,
    database: Database = None,
) -> None:
    """Take away one fault, or all."""
    gone = _operate("clear_faults", data, database, name)
    typer.echo(f"Cleared {', '.join(gone)}." if gone else "There was none.")


trails = typer.Typer(help="Read, follow and prove the trail of every release, change, refusal and sign-in.")
app.add_typer(trails, name="trail")


@trails.callback(invoke_without_command=True)
def trail(
    context: typer.Context,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more, until Ctrl-C.")] = False,
    since: Annotated[str | None, typer.Option(help="Entries from this moment on, or of the last 30m, 2h, 3d.")] = None,
    caller: Annotated[str | None, typer.Option(help="Of this caller, by object id or client.")] = None,
    resource: Annotated[str | None, typer.Option(help="On resources whose id has this in it.")] = None,
    deed: Annotated[str | None, typer.Option(help="release, write, refusal or sign-in.")] = None,
    data: Data = None,
    database: Database = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each entry.")] = False,
) -> None:
    """Read and follow the trail of every release, change, refusal and sign-in; `verify` proves it."""
    if context.invoked_subcommand is not None:
        return
    options = {"since": since, "caller": caller, "resource": resource, "deed": deed}
    with contextlib.suppress(KeyboardInterrupt):
        _operate("read_trail", data, database, options, typer.echo, follow=follow, as_json=as_json)


@trails.command("verify")
def trail_verify(context: typer.Context, *, data: Data = None, database: Database = None) -> None:
    """Prove the chain of hashes, or name the first bad place and end with 1."""
    given = context.parent.params if context.parent else {}
    typer.echo(_operate("verify_trail", data or given["data"], database or given["database"]))


def _operate(deed: str, data: Path | None, database: str | None, *arguments: object, **more: object) -> Any:
    """Do something to an instance by its database, whether or not a server runs on it."""
    operator = import_module("linarite.operator_desk")
    settings = _settings(data=data, database=database)
    try:
        return getattr(operator, deed)(settings, os.environ, *arguments, **more)
    except operator.TROUBLE as error:
        _fail(str(error))


@app.command()
def proxy(
    *,
    data: Data = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; 0 for any free one.")] = 8442,
    pass_through: Annotated[
        bool, typer.Option("--pass-through/--refuse-others", help="What becomes of names that are none of ours.")
    ] = False,
) -> None:
    """Lead clients that insist on a cloud's host names to the doors of the running server."""
    tunnels = import_module("linarite.proxy")
    try:
        tunnels.run(_settings(data=data).data, port, _announce_proxy, pass_through=pass_through)
    except tunnels.PortTaken as error:
        _fail(str(error))


@app.command(hidden=True)
def sibling() -> None:
    """Be one more process of a running server; started by it."""
    _lean("linarite.siblings").run()


def _settings(**given: object) -> Settings:
    try:
        return load(os.environ, **{name: value for name, value in given.items() if value is not None})
    except BadSettings as error:
        _fail(str(error))


def _ready(data: Path | None) -> dict[str, Any]:
    """What a running server tells of itself, the owner's secret included."""
    try:
        known = client.ready(_settings(data=data).data)
    except client.NotRunning as error:
        _fail(str(error))
    if known["clientSecret"] is None:
        _fail(client.SEALED)
    return known


def _lean(name: str) -> Any:
    """A module that serves, without the colours that structlog would load for it: 4 MB, and 40 ms of every start."""
    with import_module("linarite.interpreter").without("rich"):
        return import_module(name)


def _serve(settings: Settings, ready_file: Path | None) -> None:
    server = _lean("linarite.serving")
    try:
        server.run(settings, os.environ, ready_file, partial(_announce, settings.data))
    except server.TROUBLE as error:
        _fail(str(error))


def _announce(data: Path, ready: Ready) -> None:
    known = ready.content
    typer.echo(f"Linarite serves {known['armEndpoint']}")
    if known["clientSecret"] is None:
        typer.echo(f"  {client.SEALED}")
    else:
        program, folder = _program(), _option(data)
        names = ("subscriptionId", "resourceGroup", "workspace")
        typer.echo("  subscription {}, group {}, workspace {}".format(*(known[name] for name in names)))
        typer.echo(f'  in another terminal: eval "$({program} env{folder})" && {program} keys{folder}')
        if ready.owner is not None:
            typer.echo("  in a browser: {}, password {} (shown this once)".format(*ready.owner))
        _announce_doors(ready)
    typer.echo("  Ctrl-C stops it.")


def _announce_doors(ready: Ready) -> None:
    """Whether each door answers, in one line; and below it, why one does not."""
    rings = list(doorbell.ring(ready.content["doors"], ready.closed, ready.content["caBundle"]))
    marks = [f"{one.door} {'✗' if one.fault else '✓'}" for one in rings]
    typer.echo(f"  doors: {' '.join(marks) or 'off'}")
    for one in rings:
        if one.fault:
            typer.echo(f"    {one.door}: {one.fault}")


def _announce_proxy(port: int) -> None:
    typer.echo(f"The proxy listens on http://127.0.0.1:{port}")
    typer.echo(f"  for clients: export HTTPS_PROXY=http://127.0.0.1:{port}")
    typer.echo("  Ctrl-C stops it.")


def _program() -> str:
    """This program as it was called, for a line that is copied."""
    called = sys.argv[0]
    return "linarite" if Path(called).name != "linarite" or called == shutil.which("linarite") else shlex.quote(called)


def _option(data: Path) -> str:
    """What names the data folder to another command of this user; nothing where that is its default."""
    return "" if data == load(os.environ).data else f" --data {shlex.quote(str(data))}"


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def main() -> None:
    """Entry point of the `linarite` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # where the terminal has no ✓, a server starts all the same
    app()
