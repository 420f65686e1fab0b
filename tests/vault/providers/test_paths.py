"""Addresses of calls (K3)."""

import pytest

from vault.providers.paths import join


@pytest.mark.parametrize(
    ("base_url", "path", "joined"),
    [
        ("https://api.openai.com", "/v1/models", "https://api.openai.com/v1/models"),
        ("https://models.example/v1", "/v1/models", "https://models.example/v1/models"),
        ("https://models.example/v1/", "/v1/models", "https://models.example/v1/models"),
        ("https://models.example/gateway/openai", "/v1/models", "https://models.example/gateway/openai/v1/models"),
        ("https://models.example/openai/v1", "/openai/v1/models", "https://models.example/openai/v1/models"),
        ("https://models.example:8443", "/api/tags", "https://models.example:8443/api/tags"),
        ("https://models.example/models", "/models", "https://models.example/models/models"),
        ("https://[2606:4700::1]:8443/v1", "/v1/models?limit=1", "https://[2606:4700::1]:8443/v1/models?limit=1"),
    ],
)
def test_a_base_url_may_name_the_version_already(base_url: str, path: str, joined: str) -> None:
    """People write it both ways; the account's own path is never doubled (K3)."""
    assert join(base_url, path) == joined
