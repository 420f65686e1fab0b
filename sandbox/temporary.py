"""A PostgreSQL for one command: `python -m sandbox.temporary COMMAND…` runs it with DATABASE_URL set.

What needs a database and keeps nothing (tests, checks of migrations, benchmarks) starts here. A DATABASE_URL that is
already set is used as it is, and no server is started.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.postgres import Postgres


@contextlib.contextmanager
def temporary_database() -> Iterator[str]:
    """The URL of DATABASE_URL, or of a server that lives as long as the context and leaves nothing behind."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="quaestor-") as folder, Postgres(Path(folder), durable=False) as server:
        yield server.url


def main(command: list[str]) -> int:
    """Run the command and give its exit code."""
    if not command:
        print(__doc__)
        return 2
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        with temporary_database() as url:
            return subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=False).returncode
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
