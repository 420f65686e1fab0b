"""The console's template filters and components, rendered as pages render them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from django.template import Context, Template


@dataclass(frozen=True)
class Day:
    day: date
    cost: Decimal
    own_key_cost: Decimal
    requests: int


def render(source: str, **values: object) -> str:
    return Template("{% load console %}" + source).render(Context(values))


def test_filters_write_figures() -> None:
    """F1: one spelling of money, counts, sizes and moments on every page."""
    values = {"m": Decimal("0.0004125"), "n": 1234567, "at": datetime(2026, 11, 3, 13, 5, tzinfo=UTC)}
    assert render('{{ m|exact:"USD" }} {{ m|signed:"USD" }}', **values) == "$0.000412500 +$0.0004125"
    assert render('{{ m|money:"USD" }}', **values) == "&lt;$0.01"
    assert render("{{ n|count }} {{ n|compact }} {{ n|bytes }}", **values) == "1,234,567 1.23\u00a0M 1.2\u00a0MB"
    assert render('{{ at|when:"Asia/Tokyo" }}, {{ at|utc_day }}', **values) == "3 Nov 2026, 22:05 JST, 3 Nov 2026"
    assert render("{{ p|level }}", p=Decimal(80)) == "warn"


def test_chart_carries_exact_amounts_and_a_table() -> None:
    """M11, F1: amounts travel as strings, and the numbers of a chart can be read without it."""
    days = [Day(date(2026, 11, 1), Decimal("0.100000001"), Decimal(0), 1200)]
    html = render('{% daily_chart "cost" "Cost by day" days "USD" %}', days=days)
    assert '"cost": ["0.100000001"]' in html
    assert '<canvas data-chart="cost"' in html
    assert '<th scope="row">1 Nov 2026</th><td class="num">1,200</td>' in html
    assert "style=" not in html


def test_datatable_scrolls_by_keyboard() -> None:
    """F1: a table wider than a phone can be scrolled without a mouse."""
    html = render('{% datatable label="Keys" %}<tbody></tbody>{% enddatatable %}')
    assert 'role="region" aria-label="Keys" tabindex="0"' in html
    assert '<table class="table"><tbody></tbody></table>' in html


def test_panel_escapes_its_title() -> None:
    """F1: a name that a tenant chose is text, never markup."""
    html = render("{% panel title=name %}<p>body</p>{% endpanel %}", name="<b>")
    assert "<h2>&lt;b&gt;</h2>" in html
    assert "<p>body</p>" in html


def test_quantities_have_words() -> None:
    """U5: products and units as customers call them."""
    assert render('{{ "pstn"|product_name }}: {{ one|units:"minute" }}', one=Decimal(1)) == "Phone calls: 1 minute"
    assert render('{{ some|units:"gb_month" }}', some=Decimal("12.500")) == "12.5 GB-months"
