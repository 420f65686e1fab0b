"""Running PostgreSQL as root's guest: it refuses to run as root, so it runs as `nobody`, changed by nothing else.

No account is made and no folder's mode is touched. Where `nobody` could not even walk to the files (a home of mode
0700, say), the server gets one ambient capability for that and no other.
"""

import os
import pwd
import re
import signal
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.process import lifeline

CAPABILITY_BITS = {"dac_read_search": 2, "dac_override": 1}  # linux/capability.h


@dataclass(frozen=True)
class Account:
    """Who owns the server's files."""

    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """The account to change to: None for an ordinary user, the owner of existing data or `nobody` for root."""
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise SandboxError(f"{data} belongs to user id {data.stat().st_uid}; start as that user, or as root.")
        return None
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def command_prefix(account: Account | None, *, program: Path, folders: Iterable[Path]) -> Sequence[str]:
    """What to put before the server's command; it also ends the server (SIGINT, fast) when its starter dies."""
    start = lifeline(signal.SIGINT)
    if account is None:
        return start
    if not start:
        raise SandboxError("Starting PostgreSQL as root needs setpriv (Debian's package util-linux).")
    change = [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    capability = _needed_capability(program, folders)
    kept = f",+{capability}" if capability else ""
    sets = [f"--bounding-set=-all{kept}", f"--inh-caps=-all{kept}", f"--ambient-caps=-all{kept}"]
    return [*start, *change, *sets]


def _needed_capability(program: Path, folders: Iterable[Path]) -> str | None:
    reachable = all(
        _is_open_to_all(parent, stat.S_IXOTH) for folder in [program, *folders] for parent in folder.parents
    )
    runnable = _is_open_to_all(program, stat.S_IROTH | stat.S_IXOTH)
    if reachable and runnable:
        return None
    held = _held_capabilities()
    wished = ["dac_read_search", "dac_override"] if runnable else ["dac_override"]
    for capability in wished:
        if held >> CAPABILITY_BITS[capability] & 1:
            return capability
    raise SandboxError(
        "PostgreSQL runs as an unprivileged user, who cannot reach "
        f"{program.parent} or the state folder, and this root has no capability to lend. "
        "Set QUAESTOR_HOME to a folder below /tmp or /var, or start as an ordinary user."
    )


def _is_open_to_all(path: Path, bits: int) -> bool:
    return path.stat().st_mode & bits == bits


def _held_capabilities() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    match = re.search(r"^CapPrm:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return int(match.group(1), 16) if match else 0
