"""Shapes of tax ids, and the parties of documents (I1)."""

import re

import pytest
from pytest_django import Settings

from billing.invoices.countries import CITY_FIRST, COUNTRIES, EUROPEAN_UNION, LETTER_PAPER, REGION_ON_A_LINE
from billing.invoices.parties import customer_facts, seller_facts
from billing.invoices.tax_ids import _SHAPES, tax_id_problem
from tests.make import make_customer


@pytest.mark.parametrize(
    ("country", "tax_id"),
    [
        ("DE", "DE 123.456.789"),
        ("GR", "EL123456789"),
        ("GB", "gb 123 4567 89"),
        ("CH", "CHE-123.456.789 MWST"),
        ("US", "12-3456789"),
        ("AU", "12 345 678 901"),
        ("IN", "27AAPFU0939F1ZV"),
        ("BR", "whatever is printed there"),
    ],
)
def test_shapes_that_will_do(country: str, tax_id: str) -> None:
    assert tax_id_problem(tax_id, country) is None


def test_what_an_id_looks_like_is_said() -> None:
    assert tax_id_problem("DE12", "DE") == "A VAT number of Germany looks like DE123456789."
    assert tax_id_problem("GR123456789", "GR") == "A VAT number of Greece looks like EL123456789."
    assert tax_id_problem("1234", "US") == "An EIN of United States looks like 12-3456789."
    assert tax_id_problem("１２３４５６７８９", "US") is not None


def test_every_example_has_its_shape() -> None:
    """All countries of the European Union have one."""
    assert EUROPEAN_UNION <= set(_SHAPES) <= set(COUNTRIES)
    assert [country for country, (_, example) in _SHAPES.items() if tax_id_problem(example, country)] == []


def test_countries_are_those_of_iso_3166() -> None:
    assert len(COUNTRIES) == 249
    assert all(re.fullmatch("[A-Z]{2}", code) and name.strip() == name for code, name in COUNTRIES.items())
    assert set(COUNTRIES) >= LETTER_PAPER | CITY_FIRST | REGION_ON_A_LINE


@pytest.mark.usefixtures("catalogue")
def test_a_document_keeps_who_both_were(settings: Settings) -> None:
    """The tenant's name where no other is said."""
    settings.SELLER_NAME, settings.SELLER_ADDRESS = "Quaestor Cloud GmbH", ["Torstraße 1", "10119 Berlin"]
    settings.SELLER_TAX_ID, settings.SELLER_EMAIL = "DE123456789", ""
    assert seller_facts() == {
        "name": "Quaestor Cloud GmbH",
        "address": ["Torstraße 1", "10119 Berlin"],
        "tax_id": "DE123456789",
        "email": "",
    }
    account = make_customer("pro", slug="acme").account
    empty = dict.fromkeys(("line1", "line2", "postal_code", "city", "region", "country", "tax_id", "reference"), "")
    assert customer_facts(account) == {"name": "Acme", **empty, "account": account.name}
