"""Somebody of the staff, signed in."""

import pytest
from django.test import Client

from tests.admin.records import make_user


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    return client
