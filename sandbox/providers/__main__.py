"""The stand-in for all providers as a process: `python -m sandbox.providers --port 8002 [--store FILE]`."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.files import write_private
from sandbox.providers.application import Application
from sandbox.providers.server import Server


def serve(port: int, store: Path | None, port_file: Path | None) -> None:
    """Answer until a signal ends it."""
    with Server(Application(store), port) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: threading.Thread(target=_stop, args=(server,)).start())
        if port_file:
            write_private(port_file, f"{server.port}\n")
        server.serve_forever(poll_interval=0.1)


def _stop(server: Server) -> None:
    server.stopping.set()
    server.shutdown()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.providers", description="A stand-in for all providers.")
    parser.add_argument("--port", type=int, default=8002, help="on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--store", type=Path, help="a file that keeps registered keys; without one they are forgotten")
    parser.add_argument("--port-file", type=Path, help="where to write the port once the server listens")
    arguments = parser.parse_args()
    try:
        serve(arguments.port, arguments.store, arguments.port_file)
    except (SandboxError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
