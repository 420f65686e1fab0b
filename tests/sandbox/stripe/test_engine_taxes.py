"""Tax on top of subscriptions' prices (I2)."""

from typing import Any

import pytest
from stripe import StripeClient

from sandbox.errors import SandboxError
from sandbox.stripe.process import StripeSandbox
from tests.sandbox.stripe.shop import make_shop
from tests.sandbox.stripe.stock import amounts, item_of, make_world

VAT = {"percent": "19", "name": "VAT", "country": "DE"}


def test_each_line_is_taxed(client: StripeClient, stripe_server: StripeSandbox) -> None:
    """Credits negatively; a preview shows it, the rate can be read, and who is not taxed any more pays none."""
    rate = stripe_server.call("POST", "/_sandbox/tax", VAT)["tax_rate"]
    world = make_world(client)
    made = world.subscribe(world.price(1999))
    (first,) = world.invoices()
    assert (first.subtotal, first.total, first.total_excluding_tax, first.amount_paid) == (1999, 2379, 1999, 2379)
    (tax,) = first.total_taxes or []
    assert (tax.amount, tax.taxable_amount, tax.tax_behavior) == (380, 1999, "exclusive")
    assert tax.tax_rate_details is not None
    found = client.v1.tax_rates.retrieve(str(tax.tax_rate_details.tax_rate))
    assert (found.id, found.display_name, found.percentage, found.country) == (rate["id"], "VAT", 19.0, "DE")
    assert [one.id for one in client.v1.tax_rates.list().data] == [rate["id"]]
    world.advance(days=14)
    change: Any = {"items": [{"id": item_of(made).id, "price": world.price(5001)}]}
    shown = client.v1.invoices.create_preview(
        {"subscription": made.id, "subscription_details": change | {"proration_behavior": "always_invoice"}}
    )
    world.change(made.id, **change, proration_behavior="always_invoice")
    second = world.invoices()[0]
    assert (amounts(second), [line.taxes[0].amount for line in second.lines.data]) == ([-1000, 2501], [-190, 475])
    assert (second.total, shown.total) == (1786, 1786)
    stripe_server.call("POST", "/_sandbox/tax", {})
    world.advance(days=29)
    assert (world.invoices()[0].total, world.invoices()[0].total_taxes) == (5001, [])


def test_checkout_asks_for_the_tax(client: StripeClient, stripe_server: StripeSandbox) -> None:
    """Of a plan, not of credits; a rate that is none is refused."""
    stripe_server.call("POST", "/_sandbox/tax", VAT)
    shop = make_shop(client, stripe_server)
    session = shop.session()
    assert (session.amount_subtotal, session.amount_total, shop.purchase().amount_total) == (2000, 2380, 2500)
    paid = stripe_server.call("POST", f"/_sandbox/checkout/{session.id}", {"card": "4242424242424242"})["session"]
    invoice = client.v1.invoices.retrieve(paid["invoice"])
    assert invoice.amount_paid == 2380
    assert "VAT 19 %" in shop.get(str(invoice.hosted_invoice_url))[1]
    with pytest.raises(SandboxError, match="from 0 to 100"):
        stripe_server.call("POST", "/_sandbox/tax", {"percent": "nineteen"})


def test_rates_by_country(client: StripeClient, stripe_server: StripeSandbox) -> None:
    """The customer's address says which; elsewhere, and without one, nothing is taxed."""
    stripe_server.call("POST", "/_sandbox/tax", {"percents": {"DE": "19", "FR": "20"}, "name": "VAT"})
    world = make_world(client)
    world.subscribe(world.price(1000))
    for months, country in enumerate(("FR", "US"), start=1):
        client.v1.customers.update(world.customer, {"address": {"country": country}})
        world.advance(days=32 * months)
    assert [one.total for one in reversed(world.invoices())] == [1000, 1200, 1000]
    for wrong in ({"DE": "x"}, "19"):
        with pytest.raises(SandboxError):
            stripe_server.call("POST", "/_sandbox/tax", {"percents": wrong})
