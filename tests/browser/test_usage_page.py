"""The usage pages as a person sees them (F1, U5, U7, M11)."""

from decimal import Decimal
from pathlib import Path

from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.browser.visitor import Visitor

VIEWS = ("Product", "Model", "Workspace", "Office", "Agent")


def test_figures_are_what_was_ingested(visitor: Visitor) -> None:
    """U5, M11: signed in by the form, read from the page, to the last digit; the browser complains of nothing."""
    visitor.sign_in()
    page, site = visitor.page, visitor.site
    page.get_by_role("link", name="Usage").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Usage")
    assert _amounts(page, "Cost by model") == [
        site.phone_cost,
        site.main_model_cost,
        site.second_model_cost,
        site.cost,
    ]
    assert page.get_by_text(f"${site.cost:.9f}").first.is_visible()
    expect(page.locator(".stat").filter(has_text="Requests").locator("dd").first).to_have_text("10")
    page.wait_for_load_state("networkidle")
    assert visitor.complaints == []


def test_filter_swaps_the_results_and_the_address(visitor: Visitor) -> None:
    """F1: by htmx, without loading the page; going back brings the first figures back."""
    visitor.sign_in()
    visitor.open("/usage/")
    page, site = visitor.page, visitor.site
    page.evaluate("window.notReloaded = true")
    page.get_by_label("Workspace", exact=True).focus()
    page.get_by_label("Workspace", exact=True).select_option("second")
    expect(_rows(page, "Cost by model")).to_have_count(3)
    assert _amounts(page, "Cost by model") == [site.second_model_cost] * 2
    assert page.url.startswith(f"{site.url}/usage/?view=model&period=2")
    assert page.url.endswith("&workspace=second")
    assert page.evaluate("window.notReloaded") is True
    expect(page.get_by_label("Workspace", exact=True)).to_be_focused()
    page.go_back()
    expect(_rows(page, "Cost by model")).to_have_count(5)
    assert visitor.complaints == []


def test_cost_is_cut_by_keyboard(visitor: Visitor) -> None:
    """F1, U5: each view by its link, which keeps the focus; each adds up to the same total and passes axe."""
    visitor.sign_in()
    visitor.open("/usage/?workspace=main")
    page, site = visitor.page, visitor.site
    for view in VIEWS:
        link = page.get_by_role("navigation", name="Cost by").get_by_role("link", name=view)
        link.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=f"Cost by {view.lower()}")).to_be_visible()
        expect(link).to_be_focused()
        expect(link).to_have_attribute("aria-current", "true")
        assert _amounts(page, f"Cost by {view.lower()}")[-1] == site.main_model_cost + site.phone_cost
        assert f"view={view.lower()}" in page.url
        assert visitor.violations() == "", view
    expect(page.get_by_label("Workspace", exact=True)).to_have_value("main")
    assert visitor.complaints == []


def test_chart_is_drawn_and_can_be_read_as_a_table(visitor: Visitor) -> None:
    """F1: the canvas has a picture, and the numbers stand below it; after a swap too."""
    visitor.sign_in()
    visitor.open("/usage/")
    chart = visitor.page.locator("canvas[data-chart=usage-daily]")
    pixels = "canvas => new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)"
    assert chart.evaluate(f"{pixels}.data.buffer).some(pixel => pixel !== 0)")
    visitor.page.get_by_role("link", name="Agent", exact=True).click()
    expect(visitor.page.get_by_role("heading", name="Cost by agent")).to_be_visible()
    assert chart.evaluate(f"{pixels}.data.buffer).some(pixel => pixel !== 0)")
    visitor.page.get_by_text("Show as a table").click()
    table = visitor.page.get_by_role("region", name="Cost by day")
    assert sum(map(Decimal, _values(table.locator("data")))) == visitor.site.cost


def test_session_is_found_in_the_ledger(ledger_visitor: Visitor) -> None:
    """U5: from the cost to the ledger, older sessions, one of them, back."""
    visitor = ledger_visitor
    visitor.sign_in()
    visitor.open("/usage/?workspace=second")
    page = visitor.page
    page.get_by_role("link", name="Session ledger").click()
    expect(page.get_by_label("Workspace", exact=True)).to_have_value("second")
    page.get_by_label("Workspace", exact=True).select_option("")
    rows = _rows(page, "Sessions")
    expect(rows).to_have_count(27)
    page.get_by_role("link", name="Older sessions").click()
    expect(rows).to_have_count(31)
    assert "before=" not in page.url
    assert visitor.violations() == ""
    page.get_by_role("link", name="call-29", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("call-29")
    expect(_rows(page, "Events")).to_have_count(2)
    assert visitor.violations() == ""
    page.get_by_role("link", name="All sessions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Session ledger")
    assert visitor.complaints == []


def test_export_is_downloaded(visitor: Visitor, tmp_path: Path) -> None:
    """U5: of what the page shows."""
    visitor.sign_in()
    visitor.open("/usage/?workspace=second")
    with visitor.page.expect_download() as started:
        visitor.page.get_by_role("link", name="CSV").click()
    file = tmp_path / "usage.csv"
    started.value.save_as(file)
    assert started.value.suggested_filename.endswith("-second.csv")
    assert len(file.read_text(encoding="utf-8").splitlines()) == 8


def test_new_account_is_shown_how_to_begin(visitor: Visitor) -> None:
    """F1: both pages without any usage, on a phone and in the dark."""
    visitor.sign_in()
    page = visitor.page
    page.set_viewport_size(ViewportSize(width=390, height=844))
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Open menu").click()
    page.locator("summary").filter(has_text="Default").click()
    page.get_by_role("button", name="Test account").click()
    for path in ("/usage/", "/usage/sessions"):
        visitor.open(path)
        expect(page.get_by_role("heading", name="No usage yet")).to_be_visible()
        assert visitor.overflow() == 0, path
        assert visitor.violations() == "", path
    assert visitor.complaints == []


def _rows(page: Page, region: str) -> Locator:
    return page.get_by_role("region", name=region).get_by_role("row")


def _amounts(page: Page, region: str) -> list[Decimal]:
    """The visible exact figures of a table's last column, top down; the last one is the total."""
    texts = page.get_by_role("region", name=region).locator("td:last-child span:visible").all_inner_texts()
    return [Decimal(text.removeprefix("$")) for text in texts]


def _values(locator: Locator) -> list[str]:
    return [item.get_attribute("value") or "" for item in locator.all()]
