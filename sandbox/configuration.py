"""What the person who types `make run` may choose, and what Django is told of it."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.errors import SandboxError
from sandbox.sockets import LOOPBACK

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = "8000"

DEMO_SELLER = {
    "SELLER_NAME": "Quaestor Demo GmbH",
    "SELLER_ADDRESS": "Musterstraße 1|10115 Berlin|Germany",
    "SELLER_TAX_ID": "DE123456789",
    "SELLER_EMAIL": "billing@quaestor.example",
}
"""Who issues the demo's invoices, where the environment names nobody."""


@dataclass(frozen=True)
class RunSettings:
    """The choices of one run; None where the embedded server is wanted."""

    port: int
    home: Path
    database_url: str | None
    valkey_url: str | None
    has_stripe_key: bool = False  # a key of the person's own, for the real Stripe
    has_mail_server: bool = False  # a mail server of the person's own

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "RunSettings":
        """Read PORT, QUAESTOR_HOME, DATABASE_URL, VALKEY_URL, STRIPE_SECRET_KEY and EMAIL_URL.

        SandboxError names the one that makes no sense.
        """
        port = environment.get("PORT") or DEFAULT_PORT
        if not port.isdecimal() or not 0 < int(port) < 65532:
            raise SandboxError(f"PORT is {port!r}; it must be a number from 1 to 65531.")
        valkey_url = environment.get("VALKEY_URL") or None
        if valkey_url and urlsplit(valkey_url).scheme not in {"redis", "rediss"}:
            raise SandboxError("VALKEY_URL must look like redis://127.0.0.1:6379/0.")
        home = Path(environment.get("QUAESTOR_HOME") or PROJECT / "var").absolute()
        database_url = environment.get("DATABASE_URL") or None
        return cls(
            int(port),
            home,
            database_url,
            valkey_url,
            has_stripe_key=bool(environment.get("STRIPE_SECRET_KEY")),
            has_mail_server=bool(environment.get("EMAIL_URL")),
        )

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def stripe_port(self) -> int:
        return self.port + 1

    @property
    def stripe_url(self) -> str | None:
        """Where the stand-in for Stripe answers; None where the real Stripe is used."""
        return None if self.has_stripe_key else f"http://{LOOPBACK}:{self.stripe_port}"

    @property
    def providers_port(self) -> int:
        return self.port + 2

    @property
    def providers_url(self) -> str:
        """Where the stand-in for the providers of keys answers."""
        return f"http://{LOOPBACK}:{self.providers_port}"

    @property
    def mail_port(self) -> int:
        return self.port + 3

    @property
    def smtp_port(self) -> int:
        return self.port + 4

    @property
    def mail_url(self) -> str | None:
        """Where the demo's e-mails are read; None where a real server sends them."""
        return None if self.has_mail_server else f"http://{LOOPBACK}:{self.mail_port}"

    @property
    def kek_folder(self) -> Path:
        """Where the vault's local key-encryption key lies."""
        return self.home / "kek"

    @property
    def logs(self) -> Path:
        return self.home / "log"

    @property
    def facts_path(self) -> Path:
        """Written when everything is ready, removed when it stops."""
        return self.home / "demo.json"


@dataclass(frozen=True)
class Backends:
    """Where the database, the broker and the cache are."""

    database_url: str
    broker_url: str
    cache_url: str


def cache_beside(broker_url: str) -> str:
    """Database 1 of the server whose database 0 is the broker."""
    return urlsplit(broker_url)._replace(path="/1").geturl()


def stripe_test_key() -> str:
    """A key in the form of Stripe's test keys."""
    return f"sk_test_{secrets.token_hex(16)}"


def django_environment(
    settings: RunSettings, backends: Backends, *, secret_key: str, stripe_key: str = ""
) -> dict[str, str]:
    """Our own environment with what config/settings.py reads: production's settings, but on plain http.

    `stripe_key` is for the stand-in; a key that the environment has already stays, and is the real Stripe's.
    """
    stripe = {"STRIPE_SECRET_KEY": stripe_key, "STRIPE_API_HOST": settings.stripe_url} if settings.stripe_url else {}
    mail = {"EMAIL_URL": f"smtp://{LOOPBACK}:{settings.smtp_port}"} if settings.mail_url else {}
    return (
        DEMO_SELLER
        | os.environ
        | stripe
        | mail
        | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DEBUG": "0",
            "SECRET_KEY": secret_key,
            "ALLOWED_HOSTS": f"{LOOPBACK},localhost",
            "QUAESTOR_ORIGIN": settings.url,
            "INSECURE_COOKIES": "1",
            "DATABASE_URL": backends.database_url,
            "BROKER_URL": backends.broker_url,
            "CACHE_URL": backends.cache_url,
            "STATIC_ROOT": str(settings.home / "static"),
            "VAULT_KEK_DIR": str(settings.kek_folder),
            "PROVIDERS_HOST": settings.providers_url,
            "PYTHONUNBUFFERED": "1",
        }
    )
