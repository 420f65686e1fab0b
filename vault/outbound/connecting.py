"""Connections to addresses that were chosen beforehand, within one deadline and a number of bytes."""

import ssl
import time
from collections.abc import Iterable, Sequence

import httpcore

from vault.outbound.networks import Address

_TRIES = 4  # addresses of one host


class TooMuch(Exception):
    """The other side sends more than it may."""


class Budget:
    """What an exchange may still take: seconds of the clock, bytes from the other side."""

    def __init__(self, *, seconds: float, size: int) -> None:
        self._ends = time.monotonic() + seconds
        self._size = size

    def seconds(self) -> float:
        """Seconds left. Raises httpcore.TimeoutException at the end, whatever the waiting was for."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("The time is over.")
        return left

    def take(self, size: int) -> None:
        """Count bytes that came. Raises TooMuch."""
        self._size -= size
        if self._size < 0:
            raise TooMuch


class Pinned(httpcore.NetworkBackend):
    """Connects to the given addresses, whatever a host name leads to by now (DNS rebinding).

    The name stays in the Host header, the server name indication and the check of the certificate.
    """

    def __init__(self, addresses: Sequence[Address], budget: Budget) -> None:
        self._addresses = addresses[:_TRIES]
        self._budget = budget
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        for place, address in enumerate(self._addresses):
            share = self._budget.seconds() / (len(self._addresses) - place)
            try:
                return _Bounded(self._sockets.connect_tcp(str(address), port, timeout=share), self._budget)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        self._budget.seconds()
        raise httpcore.ConnectError("No address of the host answers.")


class _Bounded(httpcore.NetworkStream):
    """A connection under a budget: a deadline for all of it, since each read by itself could wait anew."""

    def __init__(self, stream: httpcore.NetworkStream, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, timeout=self._budget.seconds())
        self._budget.take(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._budget.seconds())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, timeout=self._budget.seconds())
        return _Bounded(secured, self._budget)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
