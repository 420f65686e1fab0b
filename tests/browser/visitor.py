"""What a person does at the console, and what the browser has to say about it."""

from dataclasses import dataclass, field
from decimal import Decimal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Response

PASSWORD = "correct-horse-battery"
PAGES = (
    "/",
    "/usage/",
    "/usage/sessions",
    "/sessions/",
    "/alerts/",
    "/credits/",
    "/plans/",
    "/plans/change?plan=free&terms=monthly-standard",
    "/invoices/",
    "/invoices/details",
    "/billing/",
    "/api-keys/",
    "/members/",
    "/notifications/",
    "/webhooks/",
    "/webhooks/add",
)


@dataclass(frozen=True)
class Site:
    """The served console, its owner, somebody of the staff, and the cost of what was ingested, in US dollars."""

    url: str
    email: str
    staff_email: str
    main_model_cost: Decimal
    second_model_cost: Decimal
    phone_cost: Decimal

    @property
    def cost(self) -> Decimal:
        return self.main_model_cost + self.second_model_cost + self.phone_cost


@dataclass
class Visitor:
    """A page of the browser with everything that went wrong on it."""

    site: Site
    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._look_at)

    def sign_in(self) -> None:
        """By the form, as everybody does."""
        self.page.goto("/")
        self.page.get_by_label("E-mail address").fill(self.site.email)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.site.url}/")

    def open(self, path: str) -> None:
        """Go to a page and wait until nothing is loading."""
        self.page.goto(path)
        self.page.wait_for_load_state("networkidle")

    def confirm_password(self) -> None:
        """Where a page asks for it once more."""
        if "/reauthenticate/" in self.page.url:
            assert self.violations() == ""
            self.page.get_by_label("Password").fill(PASSWORD)
            self.page.get_by_role("button", name="Confirm").click()
            self.page.wait_for_load_state("networkidle")

    def violations(self) -> str:
        """What axe finds on the present page; empty if nothing. Complaints of the browser are read before this."""
        results = Axe().run(self.page)
        return results.generate_report() if results.violations_count else ""

    def overflow(self) -> int:
        """Pixels that the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _look_at(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")
