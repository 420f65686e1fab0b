"""What a document says (I1, I2)."""

from datetime import UTC, datetime
from decimal import Decimal

from django.template.loader import render_to_string

from billing.invoices.documents.facts import Labelled, SumFacts
from billing.invoices.documents.reading import document_facts
from billing.invoices.models import Invoice
from tests.invoices.make import CUSTOMER, make_line, make_model, written

VAT = {"name": "VAT", "percent": "19.0", "country": "DE", "amount": "12.00"}


def test_lines_stand_in_groups_with_their_models() -> None:
    """The plan with its dates, then usage by product, then what came late; free usage at zero without prices."""
    model = make_line(
        "0.41",
        product="llm",
        unit="token",
        quantity=Decimal(57_100),
        details=[make_model("gpt-5", "0.4125"), make_model("mini", "0.0005", cached_input_tokens=900)],
    )
    own = make_line(product="llm", unit="token", funding="provider", details=[make_model("opus", "9", requests=1)])
    late = make_line("3.10", kind="adjustment", description="Minutes of October, recorded later")
    plan = make_line("49", kind="subscription", description="Pro plan")
    groups = document_facts(*written([late, model, own, plan])).groups
    assert [group.name for group in groups] == ["Plan", "Usage", "Adjustments to earlier periods"]
    (pro,), (used, keys), (minutes,) = (group.rows for group in groups)
    assert (pro.note, pro.quantity, pro.amount) == ("1 – 30 Nov 2026", "", "$49.00")
    assert (used.quantity, used.amount) == ("57,100 tokens", "$0.41")
    assert [(part.name, part.amount) for part in used.parts] == [
        ("gpt-5 · openai", "$0.4125"),
        ("mini · openai", "$0.0005"),
    ]
    assert used.parts[1].figures == "120 requests · 48,000 tokens in (900 cached) · 9,100 out"
    assert (keys.is_free, keys.amount, keys.parts[0].amount) == (True, "$0.00", "")
    assert keys.parts[0].figures.startswith("1 request · ")
    assert minutes.name == "Minutes of October, recorded later"


def test_the_reckoning_leads_to_what_is_due() -> None:
    facts = document_facts(
        *written([make_line("62.40")], taxes=[VAT], credits_applied=Decimal(20), carried=Decimal("-1.40"))
    )
    assert [(sum_.label, sum_.amount) for sum_ in facts.sums] == [
        ("Subtotal", "$62.40"),
        ("VAT 19% (Germany)", "$12.00"),
        ("Total", "$74.40"),
        ("Credits applied", "−$20.00"),
        ("Carried forward", "−$1.40"),
    ]
    assert facts.due == SumFacts("Amount due", "$53.00", "USD")


def test_a_tax_says_what_it_was_computed_on() -> None:
    """I1: the processor taxes what it asks for, which is not always what the document lists."""
    taxes = [VAT | {"amount": "11.02", "taxable": "58.00"}, VAT | {"country": "", "amount": "0.98"}]
    facts = document_facts(*written([make_line("64.10")], taxes=taxes))
    assert [sum_.label for sum_ in facts.sums[1:3]] == ["VAT 19% (Germany) on $58.00", "VAT 19%"]


def test_how_to_pay_is_said_and_never_whether() -> None:
    line = make_line("5")
    at_processor = {"external_id": "in_1", "external_number": "A1-0007"}
    assert document_facts(*written([line], **at_processor)).payment == (
        "Payable on receipt, charged to your default payment method.",
        "The payment’s reference is A1-0007.",
    )
    assert "by card or by buying credits" in document_facts(*written([line])).payment[0]
    paid = document_facts(*written([line], credits_applied=Decimal(5)))
    assert paid.payment == ("There is nothing to pay on this invoice.",)


def test_a_credit_note_names_its_invoice_and_how_it_was_settled() -> None:
    corrected = Invoice(number="INV-7Q4MZK2A-0006", issued_at=datetime(2026, 11, 1, 1, tzinfo=UTC))
    facts = document_facts(
        *written(
            [make_line("-20", kind="credit", description="Outage")],
            kind="credit_note",
            number="CN-7Q4MZK2A-0001",
            corrects=corrected,
            amount_due=Decimal(0),
            off_debt=Decimal(12),
            as_credits=Decimal(8),
            note="We were\nnot reachable.",
        )
    )
    assert facts.title == "Credit note"
    assert Labelled("Corrects invoice", "INV-7Q4MZK2A-0006 of 1\u00a0November\u00a02026") in facts.dates
    assert facts.due == SumFacts("Amount credited", "$20.00", "USD")
    assert facts.settled == (SumFacts("Taken off what was owed", "$12.00"), SumFacts("Added to your credits", "$8.00"))
    assert facts.note == "We were not reachable."


def test_a_correction_says_why_it_credits_less() -> None:
    """U6: an invoice is not credited beyond itself; a rounding alone needs no words."""
    short = make_line("-1", kind="correction", rated=Decimal("-16.2"))
    whole = make_line("-1", kind="correction", rated=Decimal("-1.004"))
    notes = [document_facts(*written([line], kind="credit_note")).groups[0].rows[0].note for line in (short, whole)]
    assert notes == ["$16.20 was taken back; $1.00 of it could still be credited on the invoice", ""]


def test_customers_get_their_paper_and_their_letters() -> None:
    def papers(country: str) -> tuple[str, str]:
        facts = document_facts(*written([make_line("5")], customer={**CUSTOMER, "country": country}))
        return facts.paper, facts.fonts[-1]

    assert papers("US") == ("us-letter", "Noto Sans CJK SC")
    assert papers("JP") == ("a4", "Noto Sans CJK JP")
    assert papers("") == ("a4", "Noto Sans CJK SC")


def test_nobody_needs_billing_details() -> None:
    """A document without them has the name alone and no empty labels."""
    facts = document_facts(*written([make_line("5")], customer={"name": "Kestrel"}, seller={"name": "Quaestor"}))
    assert (facts.customer.name, facts.customer.address, facts.customer.ids) == ("Kestrel", (), ())
    assert (facts.seller.address, facts.seller.ids) == ((), ())


def test_the_page_escapes_what_customers_wrote() -> None:
    name = "<script>alert(1)</script> & Sons"
    facts = document_facts(*written([make_line("5", description="<b>bold</b>")], customer={**CUSTOMER, "name": name}))
    page = render_to_string("invoices/document.html", {"facts": facts})
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt; &amp; Sons</bdi>" in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<script>" not in page
    assert page.count("$5.00") == 5  # the amount due twice, the line, subtotal and total
