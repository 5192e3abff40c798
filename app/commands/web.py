"""Run the web server of a stack whose services are up."""

from __future__ import annotations

import argparse
import os
import socket

from adapters import lifeline
from adapters.settings import Settings
from app.commands.common import with_addresses
from app.console import DONE, WRONG, CommandError, Console

GRACE_SECONDS = 3
"""Event streams end by themselves when the server is asked to stop; what is still open after this long is cut."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--port and --bind as in the settings; --socket is how `vfos up` hands over an open one."""
    parser.add_argument("--port", type=int, help="port to listen on (default: VFOS_PORT)")
    parser.add_argument("--socket", type=int, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Serve until asked to stop."""
    settings = with_addresses(settings)
    lifeline.watch()
    os.environ.update(settings.environment())
    if arguments.socket is not None:
        listener = socket.socket(fileno=arguments.socket)
    else:
        listener = listen(settings.bind, arguments.port or settings.port)
    serve(listener, settings)
    return DONE


def serve(listener: socket.socket, settings: Settings) -> None:
    """Serve the application on an open socket until SIGTERM or SIGINT."""
    import uvicorn

    from adapters.logs import configure_logs
    from app.main import create_app
    from app.server import WebServer

    configure_logs(settings)
    app = create_app()
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
        lifespan="on",
    )
    WebServer(config, app.state.site).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """An open listening socket. Raises CommandError when the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        why = error.strerror or str(error)
        raise CommandError(
            f"Port {port} of {host} cannot be used ({why}): choose another VFOS_PORT or VFOS_BIND.", code=WRONG
        ) from error
    listener.listen(512)
    return listener
