"""The demo's mailbox as a process: `python -m sandbox.mail --port 8003 --smtp-port 8004 --store FOLDER`."""

import argparse
import signal
import sys
from pathlib import Path

from sandbox.mail.mailbox import Mailbox


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.mail", description="A mailbox for a demo's e-mails.")
    parser.add_argument("--port", type=int, default=8003, help="of the pages, on 127.0.0.1")
    parser.add_argument("--smtp-port", type=int, default=8004, help="of the mail server, on 127.0.0.1")
    parser.add_argument("--store", type=Path, required=True, help="the folder that keeps the mails")
    arguments = parser.parse_args()
    numbers = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        with Mailbox(arguments.store, port=arguments.port, smtp_port=arguments.smtp_port):
            signal.sigwait(numbers)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
