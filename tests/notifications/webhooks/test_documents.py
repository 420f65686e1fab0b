"""docs/webhooks.md shows every type of event as the registry has it (N1).

`python -m tests.notifications.webhooks.test_documents` writes them there.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import standardwebhooks

from billing.core.problems import CODES
from billing.notifications.event_types import SUBSCRIPTION_CHANGES, EventType

PAGE = Path(__file__).resolve().parents[3] / "docs/webhooks.md"
BEGIN, END = "from billing/notifications/event_types.py -->\n", "<!-- /events -->"


def written() -> str:
    """A heading, a line and an example for each type."""
    parts = [
        f"### `{kind.value}`\n\n{kind.description}\n\n```json\n{json.dumps(plain(kind.example), indent=2)}\n```\n"
        for kind in EventType
    ]
    return "\n".join(["", *parts, ""])


def plain(value: object) -> object:
    """Mappings that cannot change, as JSON has them."""
    return {name: plain(one) for name, one in value.items()} if hasattr(value, "items") else value


def test_page_shows_each_type_as_it_is() -> None:
    """N1: a type that is added or changed is documented."""
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0] == written()
    assert all(f"`{word}`" in page for word in SUBSCRIPTION_CHANGES)


def test_signed_example_can_be_verified() -> None:
    """N1: whoever tries their own verification has something to try it on."""
    page = PAGE.read_text(encoding="utf-8")
    request = page.partition("```\nPOST /hooks HTTP/1.1\n")[2].partition("\n```")[0]
    head, _, body = request.partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines())
    secret = re.findall(r"`(whsec_[A-Za-z0-9+/=]+)`", page)[0]
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert standardwebhooks.Webhook(secret).sign(headers["webhook-id"], at, body) == headers["webhook-signature"]
    assert json.loads(body)["timestamp"] == at.isoformat().replace("+00:00", "Z")


def test_examples_are_complete() -> None:
    """N1: each names the tenant, and the account where one is concerned; amounts are strings with a currency."""
    for kind in EventType:
        example = plain(kind.example)
        assert isinstance(example, dict)
        assert "tenant" in example
        assert json.loads(json.dumps(example)) == example
        assert kind.description.endswith(".")
        if kind not in {EventType.PROVIDER_KEY_HEALTH_CHANGED, EventType.WEBHOOK_ENDPOINT_TEST}:
            assert example["account"].keys() == {"id", "name"}


def test_codes_of_refusals_are_listed() -> None:
    """N1: with the status that goes with each."""
    statuses = {
        "webhook-address-not-allowed": 400,
        "unknown-event-type": 400,
        "too-many-webhook-endpoints": 409,
        "webhook-endpoint-disabled": 409,
    }
    assert {code: CODES[code].status for code in statuses} == statuses


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    PAGE.write_text(head + BEGIN + written() + END + rest.partition(END)[2], encoding="utf-8")
