"""Addresses of host names, within a time: the C library's own limits are half a minute."""

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread

from vault.errors import Unanswered
from vault.outbound.networks import Address

Resolve = Callable[[str, int, float], Sequence[Address]]
"""Host, port and seconds to all addresses of the host. Raises Unanswered where there are none."""


def addresses_of(host: str, port: int, seconds: float) -> list[Address]:
    """As the system resolves the name. Raises Unanswered."""
    found: SimpleQueue[list[Address]] = SimpleQueue()
    Thread(target=lambda: found.put(_ask(host, port)), daemon=True).start()
    try:
        addresses = found.get(timeout=max(seconds, 0.001))
    except Empty:
        addresses = []
    if not addresses:
        raise Unanswered("No address is known for the {side}'s host name.")
    return addresses


def _ask(host: str, port: int) -> list[Address]:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(ip_address(str(answer[4][0])) for answer in answers))
    except (OSError, ValueError):  # no such name; a name or an address that is none
        return []
