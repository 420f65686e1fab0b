"""The embedded Valkey of the demo and the tests."""

from pathlib import Path

import redis

from sandbox.valkey import Valkey


def test_starts_answers_and_stops(tmp_path: Path) -> None:
    with Valkey(tmp_path) as server:
        client = redis.Redis.from_url(server.cache_url)
        assert client.ping() is True
        assert client.config_get("save") == {"save": ""}
        client.close()
        path = tmp_path / "valkey.sock"
        assert path.is_socket()
    assert not path.exists()


def test_a_long_path_gets_a_short_socket_that_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    with Valkey(folder) as server:
        socket = Path(server.cache_url.removeprefix("unix://").partition("?")[0])
        assert len(bytes(socket)) <= 107
    assert not socket.parent.exists()
