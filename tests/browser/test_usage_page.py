"""The usage page as a person sees it (F1, U5, M11)."""

from decimal import Decimal

from playwright.sync_api import Locator, Page, expect

from tests.browser.visitor import Visitor


def test_figures_are_what_was_ingested(visitor: Visitor) -> None:
    """U5, M11: signed in by the form, read from the page, to the last digit; the browser complains of nothing."""
    visitor.sign_in()
    page, site = visitor.page, visitor.site
    page.get_by_role("link", name="Usage").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Usage")
    assert _amounts(page, "Usage by model") == [
        site.main_model_cost,
        site.second_model_cost,
        site.main_model_cost + site.second_model_cost,
    ]
    assert _amounts(page, "Usage by product") == [
        site.main_model_cost + site.second_model_cost,
        site.phone_cost,
        site.cost,
    ]
    assert page.get_by_text(f"${site.cost:.9f}").first.is_visible()
    expect(page.locator("dd").filter(has_text="12,000")).to_be_hidden()
    expect(page.locator(".stat").filter(has_text="Requests").locator("dd")).to_have_text("10")
    page.wait_for_load_state("networkidle")
    assert visitor.complaints == []


def test_filter_swaps_the_results_and_the_address(visitor: Visitor) -> None:
    """F1: by htmx, without loading the page; going back brings the first figures back."""
    visitor.sign_in()
    visitor.open("/usage/")
    page, site = visitor.page, visitor.site
    page.evaluate("window.notReloaded = true")
    page.get_by_label("Workspace").select_option("second")
    expect(page.get_by_role("region", name="Usage by model").get_by_role("row")).to_have_count(3)
    assert _amounts(page, "Usage by model") == [site.second_model_cost] * 2
    assert page.url == f"{site.url}/usage/?period=current&workspace=second"
    assert page.evaluate("window.notReloaded") is True
    page.go_back()
    expect(page.get_by_role("region", name="Usage by model").get_by_role("row")).to_have_count(4)
    assert visitor.complaints == []


def test_chart_is_drawn_and_can_be_read_as_a_table(visitor: Visitor) -> None:
    """F1: the canvas has a picture, and the numbers stand below it."""
    visitor.sign_in()
    visitor.open("/usage/")
    chart = visitor.page.locator("canvas[data-chart=usage-daily]")
    pixels = "canvas => new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)"
    assert chart.evaluate(f"{pixels}.data.buffer).some(pixel => pixel !== 0)")
    visitor.page.get_by_text("Show as a table").click()
    table = visitor.page.get_by_role("region", name="Cost by day")
    assert sum(map(Decimal, _values(table.locator("data")))) == visitor.site.cost


def _amounts(page: Page, region: str) -> list[Decimal]:
    """The visible exact figures of a table's last column, top down; the last one is the total."""
    texts = page.get_by_role("region", name=region).locator("td:last-child span:visible").all_inner_texts()
    return [Decimal(text.removeprefix("$")) for text in texts]


def _values(locator: Locator) -> list[str]:
    return [item.get_attribute("value") or "" for item in locator.all()]
