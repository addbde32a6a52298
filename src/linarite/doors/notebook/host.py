"""The process behind the notebook door: Jupyter Server as it is, with our identity provider and our certificate.

It stops when its line ends, so it does not outlive the server, however that ended; kernels watch this process and do
the same.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import ssl
from typing import TYPE_CHECKING, Any, cast

from jupyter_core.paths import jupyter_runtime_dir
from jupyter_server.serverapp import ServerApp
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets.config import Config

from linarite.doors.notebook.identity import KeyIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.doors.notebook.channel import Channel

KERNEL_LEAVES_WITHIN = 2.0


def run(channel: Channel, opening: Mapping[str, Any]) -> None:
    """Serve what the first order says until the line ends, or SIGTERM."""
    asyncio.run(_serve(channel, opening))


async def _serve(channel: Channel, opening: Mapping[str, Any]) -> None:
    place, ended = opening["with"], asyncio.Event()
    app = _jupyter(place)
    os.chdir(place["notebooks"])  # where kernels start that no notebook asks for
    identity = cast("KeyIdentity", app.identity_provider)
    identity.ask = channel.ask
    sweeps: set[asyncio.Task[None]] = set()

    async def sweep(number: int) -> None:
        await identity.sweep()
        channel.say({"id": number, "ok": True})

    def obey(order: Mapping[str, Any]) -> None:
        task = asyncio.create_task(sweep(order["id"]))
        sweeps.add(task)
        task.add_done_callback(sweeps.discard)

    channel.listen(obey, ended.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    try:
        server, port = _listening(app, place)
    except OSError as error:
        channel.say({"id": opening["id"], "ok": False, "error": _port_taken(place, error)})
        return
    channel.say({"id": opening["id"], "ok": True, "port": port})
    await _until(ended, identity, place["sweepEvery"])
    server.stop()
    await server.close_all_connections()
    await app.cleanup_kernels()


async def _until(ended: asyncio.Event, identity: KeyIdentity, sweep_every: float) -> None:
    while not ended.is_set():
        try:
            await asyncio.wait_for(ended.wait(), sweep_every)
        except TimeoutError:
            await identity.sweep()


def _jupyter(place: Mapping[str, Any]) -> ServerApp:
    """Jupyter Server, without a listener."""
    shutil.rmtree(jupyter_runtime_dir(), ignore_errors=True)  # connection files of a process that was killed
    app: ServerApp = ServerApp.instance(config=_settings(place))
    # No request ends the process: the server does.
    cast("Any", app).default_services = tuple(name for name in app.default_services if name != "shutdown")
    app.initialize(argv=[], find_extensions=False, new_httpserver=False)
    return app


def _settings(place: Mapping[str, Any]) -> Config:
    config = Config()
    config.ServerApp.ip = place["host"]
    config.ServerApp.root_dir = place["notebooks"]
    config.ServerApp.identity_provider_class = KeyIdentity
    config.ServerApp.cookie_secret = os.urandom(32)
    config.ServerApp.allow_root = True
    config.ServerApp.open_browser = False
    config.ServerApp.allow_unauthenticated_access = False
    config.ServerApp.terminals_enabled = False
    config.ServerApp.tornado_settings = {"log_function": lambda _: None}  # refusals are on the trail
    config.KeyIdentity.updatable_fields = []
    config.KernelManager.shutdown_wait_time = KERNEL_LEAVES_WITHIN
    config.KernelManager.transport_encryption = "auto"  # other users of this machine can reach a kernel's ports too
    config.Application.log_level = logging.ERROR
    config.Application.log_format = "%(levelname)s %(name)s: %(message)s"
    return config


def _listening(app: ServerApp, place: Mapping[str, Any]) -> tuple[HTTPServer, int]:
    """The listener, and the port that it has."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(place["certificate"], place["key"])
    server = HTTPServer(
        app.web_app, ssl_options=tls, max_body_size=app.max_body_size, max_buffer_size=app.max_buffer_size
    )
    sockets = bind_sockets(place["port"], place["host"])
    server.add_sockets(sockets)
    return server, sockets[0].getsockname()[1]


def _port_taken(place: Mapping[str, Any], error: OSError) -> str:
    return (
        f"Port {place['port']} on {place['host']} cannot be used: {error.strerror or error}. "
        "Choose another with --port, or --port 0 for any free one."
    )
