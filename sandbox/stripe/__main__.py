"""The stand-in for Stripe as a process: `python -m sandbox.stripe --port 8001 --store FILE`."""

import argparse
import importlib
import logging
import os
import pkgutil
import signal
import sys
import threading
from pathlib import Path

import sandbox.stripe
from sandbox.errors import SandboxError
from sandbox.files import write_private
from sandbox.sockets import LOOPBACK
from sandbox.stripe.application import Application
from sandbox.stripe.server import Server
from sandbox.stripe.specification import document
from sandbox.stripe.state import State
from sandbox.stripe.store import MEMORY


def load_parts() -> None:
    """Import every module of the package: what serves a route registers itself."""
    for module in pkgutil.walk_packages(sandbox.stripe.__path__, f"{sandbox.stripe.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def serve(port: int, store: str, port_file: Path | None) -> None:
    """Answer until a signal ends it."""
    os.umask(0o077)  # the store holds the secrets of webhooks
    document()
    load_parts()
    state = State(store)
    with Server(Application(state), port) as server:
        state.base_url = f"http://{LOOPBACK}:{server.port}"
        state.courier.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: threading.Thread(target=server.shutdown).start())
        if port_file:
            write_private(port_file, f"{server.port}\n")
        server.serve_forever(poll_interval=0.1)
        state.courier.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.stripe", description="A stand-in for Stripe.")
    parser.add_argument("--port", type=int, default=8001, help="on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--store", default=MEMORY, help="an SQLite file that keeps everything, or :memory:")
    parser.add_argument("--port-file", type=Path, help="where to write the port once the server listens")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        serve(arguments.port, arguments.store, arguments.port_file)
    except (SandboxError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
