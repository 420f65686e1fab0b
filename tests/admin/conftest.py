"""Somebody of the staff, signed in."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from tests.admin.records import make_user


@pytest.fixture(autouse=True)
def static_root(settings: Settings, tmp_path: Path) -> None:
    """Pages need no collected files here, but the server of static files looks for their folder."""
    settings.STATIC_ROOT = str(tmp_path)


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    return client
