"""The page behind an account link: one button that completes a connected account (M10)."""

from sandbox.stripe.connect.accounts import complete_onboarding, find_account
from sandbox.stripe.pages.parts import facts
from sandbox.stripe.pages.rendering import document, fill, link_to
from sandbox.stripe.pages.serving import redirect, visit
from sandbox.stripe.platform import PLATFORM_NAME
from sandbox.stripe.resources.account_links import KIND
from sandbox.stripe.routing import Call, Page
from sandbox.stripe.values import Json

PATH = "/connect/{link}"


@visit("GET", PATH)
def show(call: Call) -> Page:
    link = call.state.store.get(KIND, call.arguments["link"])
    if not _is_good(call, link):
        return redirect(link["refresh_url"])
    account = find_account(call.state, link["account"])
    body = fill(
        "onboarding.html",
        merchant=PLATFORM_NAME,
        facts=facts(
            [
                ("E-mail", account["email"] or "not given"),
                ("Country", account["country"]),
                ("Bank account", "Test bank •••• 6789"),
            ]
        ),
        action=f"/connect/{link['id']}",
        later=link_to(link["return_url"], "Finish later"),
    )
    return document(f"Get paid by {PLATFORM_NAME}", body)


@visit("POST", PATH)
def complete(call: Call) -> Page:
    """A second press changes nothing more."""
    link = call.state.store.get(KIND, call.arguments["link"])
    account = find_account(call.state, link["account"])
    if not account["details_submitted"]:
        if not _is_good(call, link):
            return redirect(link["refresh_url"])
        complete_onboarding(call.state, account)
        call.state.store.put(KIND, link | {"used": True})
    return redirect(link["return_url"])


def _is_good(call: Call, link: Json) -> bool:
    return not link["used"] and bool(call.state.clock.now() <= link["expires_at"])
