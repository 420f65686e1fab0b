"""Which keys are known, and in which state each one is."""

import json
from pathlib import Path
from threading import Lock

from sandbox.files import write_private
from sandbox.providers.keys import NAMED, State
from sandbox.providers.registry import PROVIDERS


class KeyBook:
    """The keys that every start has, and those that were registered; these stay in a file where one is given."""

    def __init__(self, store: Path | None = None) -> None:
        self._built_in = _built_in()
        self._registered: dict[tuple[str, str], State] = {}
        self._store = store
        self._lock = Lock()
        if store and store.exists():
            lines = json.loads(store.read_text(encoding="utf-8"))
            self._registered = {(line["provider"], line["key"]): State(line["state"]) for line in lines}

    def state_of(self, provider: str, key: str) -> State | None:
        """None for a key that nobody has made known."""
        with self._lock:
            return self._registered.get((provider, key)) or self._built_in.get((provider, key))

    def register(self, provider: str, key: str, state: State) -> None:
        """Make the key known, or move it to another state."""
        with self._lock:
            self._registered[provider, key] = state
            self._write()

    def reset(self) -> None:
        """Forget what was registered."""
        with self._lock:
            self._registered.clear()
            self._write()

    def _write(self) -> None:
        if self._store:
            lines = [
                {"provider": provider, "key": key, "state": state}
                for (provider, key), state in self._registered.items()
            ]
            write_private(self._store, json.dumps(lines, indent=1) + "\n")


def _built_in() -> dict[tuple[str, str], State]:
    keys: dict[tuple[str, str], State] = {}
    for provider in PROVIDERS.values():
        keys |= {(provider.id, provider.key(state)): state for state in State}
        keys |= {(provider.id, provider.key(name)): State.VALID for name in NAMED}
    return keys
