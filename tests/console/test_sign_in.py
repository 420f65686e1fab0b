"""The words of the sign-in pages (F4)."""

import pytest
from django.core.cache import cache
from django.test import Client

from tests.console.make import make_user

pytestmark = pytest.mark.django_db


def test_wrong_password_and_unknown_address_read_alike() -> None:
    """F4: one message for both, so that it does not tell who has an account."""
    cache.clear()  # sign-ins of other tests count against the rate limit
    user = make_user(password="correct-horse-battery")
    for email in (user.email, "nobody@example.com"):
        response = Client().post("/account/login/", {"login": email, "password": "wrong"})
        assert response.status_code == 200
        assert response.text.count("The e-mail address or the password is wrong.") == 1


def test_labels() -> None:
    """F4: the same word for an e-mail address on every page, and labels in sentence case."""
    sign_in, reset = Client().get("/account/login/").text, Client().get("/account/password/reset/").text
    assert "Remember me<" in sign_in
    assert "Remember Me" not in sign_in
    for text in (sign_in, reset):
        assert "E-mail address<" in text
        assert "Email<" not in text
