"""demo.json: what a program or a person needs to try a running demo."""

import json
from collections.abc import Mapping
from pathlib import Path

from sandbox.files import write_private

# Known to load_demo, which writes them to demo-seed.json; and to whoever starts the servers.
SEED_KEYS = (
    "email",
    "password",
    "staff_email",
    "staff_password",
    "tenant",
    "workspace",
    "test_workspace",
    "api_key",
    "runtime_key",
    "viewer_key",
    "other_tenant_api_key",
    "other_tenant_workspace",
)
SERVER_KEYS = ("url", "database_url", "stripe_url", "providers_url", "provider_keys", "chain_url", "mail_url")


def demo_facts(seed: Mapping[str, object], servers: Mapping[str, object]) -> dict[str, object]:
    """Every key, None where this demo has no such part."""
    return {key: servers.get(key) for key in SERVER_KEYS} | {key: seed.get(key) for key in SEED_KEYS}


def read_seed(home: Path) -> dict[str, object]:
    """What load_demo left in the state folder; nothing when it left nothing."""
    path = home / "demo-seed.json"
    seed: dict[str, object] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return seed


def write_facts(path: Path, facts: Mapping[str, object]) -> None:
    """In one step, for its owner's eyes: that the file is there means that everything is ready."""
    write_private(path, json.dumps(facts, indent=2) + "\n")


def welcome(facts: Mapping[str, object], *, path: Path, seconds: float) -> str:
    """What the person at the terminal reads."""
    lines = [f"Quaestor is ready after {seconds:.0f} s.", "", f"  address   {facts['url']}/"]
    if facts["email"]:
        lines.append(f"  sign in   {facts['email']}  {facts['password']}")
    if facts["staff_email"]:
        lines.append(f"  staff     {facts['staff_email']}  {facts['staff_password']}  (at {facts['url']}/admin/)")
    if facts["stripe_url"]:
        lines.append(f"  payments  {facts['stripe_url']}/  (a sandbox: no real money moves)")
    if facts["providers_url"]:
        lines.append(f"  providers {facts['providers_url']}/  (a sandbox: keys to try)")
    if facts["mail_url"]:
        lines.append(f"  e-mails   {facts['mail_url']}/  (a sandbox: nobody else gets them)")
    lines += [f"  API keys  {path}", "", "Ctrl-C stops it; the state stays."]
    return "\n".join(lines)
