"""Documents as PDF (I2). Few are set here: each takes a moment."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from io import BytesIO

from pypdf import PdfReader

from billing.invoices.documents.pdf import render_pdf
from billing.invoices.documents.reading import document_facts
from tests.invoices.make import CUSTOMER, make_line, make_model, written

MARKUP = '#panic("run") $x^2$ *bold* _it_ `raw` <label> @ref // gone \\ = Title [x] <script>alert(1)</script>'


def read(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf))


def words(reader: PdfReader) -> str:
    """What all pages say, without line ends."""
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_texts_of_customers_are_never_markup() -> None:
    name = f"{MARKUP} {'W' * 60}"
    facts = document_facts(
        *written([make_line("5", description=MARKUP)], customer={**CUSTOMER, "name": name}, note=MARKUP)
    )
    reader = read(render_pdf(facts))
    assert len(reader.pages) == 1
    said = words(reader)
    assert said.count(MARKUP) == 2  # the line and the note; the name is broken into lines somewhere
    assert MARKUP.replace(" ", "") in said.replace(" ", "").replace(MARKUP.replace(" ", ""), "", 2)


def test_long_words_are_copied_as_they_were_written() -> None:
    """I1: a line that holds a word has it whole; else it breaks, and nothing stands between its letters."""
    fits, never = "Betriebswerkbauunterbeamtengesellschaft", "Unterbeamten" * 14
    reader = read(render_pdf(document_facts(*written([make_line("5", description=f"{fits} {never}")]))))
    text = reader.pages[0].extract_text()
    assert fits in text
    assert never not in text
    assert never in text.replace("\n", "")
    assert "\u200b" not in text


def test_the_same_document_is_the_same_file_from_any_thread() -> None:
    facts = document_facts(*written([make_line("5")]))
    with ThreadPoolExecutor(8) as threads:
        files = list(threads.map(render_pdf, [facts] * 8))
    assert len(set(files)) == 1
    about = read(files[0]).metadata
    assert about is not None
    assert (about.title, about.author) == ("Invoice INV-7Q4MZK2A-0007", "Quaestor Cloud GmbH")
    assert about.creation_date == facts.issued_at


def test_long_tables_repeat_their_head_on_numbered_pages() -> None:
    """US letter, and the sums on the last page."""
    models = [make_model(f"model-{number}", "1.234567891") for number in range(9)]
    lines = [make_line("11.11", product="llm", unit="token", quantity=Decimal(9), details=models) for _ in range(9)]
    reader = read(render_pdf(document_facts(*written(lines, customer={**CUSTOMER, "country": "US"}))))
    pages = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert [f"{number} / 3" in page for number, page in enumerate(pages, start=1)] == [True, True, True]
    assert all("Description Quantity Amount" in page for page in pages)
    assert ["Amount due $99.99" in page for page in pages] == [True, False, True]
    assert (reader.pages[0].mediabox.width, reader.pages[0].mediabox.height) == (612, 792)


def test_names_of_other_scripts_have_their_letters() -> None:
    """Right to left, CJK, and others, from embedded fonts alone."""
    names = ["株式会社サンプル", "한국 회사", "Ελληνική Россия", "ไทย", "חברה", "🙂"]
    lines = [make_line("5", description=name) for name in names]
    reader = read(render_pdf(document_facts(*written(lines, currency="JPY", customer={**CUSTOMER, "country": "JP"}))))
    said = words(reader)
    assert [name for name in names if name not in said and name[::-1] not in said] == []
    assert "¥30" in said
    fonts = reader.pages[0]["/Resources"]["/Font"]
    assert all("/FontDescriptor" in font["/DescendantFonts"][0] for font in (fonts[key] for key in fonts))
    names = {str(fonts[key]["/BaseFont"]).split("+")[1] for key in fonts}
    assert {name.split("-")[0] for name in names} >= {"Inter", "NotoSansCJKjp", "NotoSansHebrew"}
