"""Every API test has the shipped catalogues and a clock that stands still at `AT`."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.make import AT


@pytest.fixture(autouse=True)
def standing_clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture(autouse=True)
def _catalogue(request: pytest.FixtureRequest) -> None:
    if "own_database" not in request.fixturenames:
        request.getfixturevalue("catalogue")
