"""How a view answers: the page, or for htmx the fragment that the page itself includes."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers

from billing.console.access import ConsoleRequest, Member
from billing.console.context import console_context
from billing.console.origins import payment_origins


def is_swap(request: ConsoleRequest) -> bool:
    """Whether htmx asks for a part of the page that it has; going back in the history asks for the whole one."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def render_page(
    request: ConsoleRequest, member: Member, template: str, page: object, *, fragment: str = "", status: int = 200
) -> HttpResponse:
    """Render `fragment` for a swap, where there is one, and `template` for everything else."""
    name = fragment if fragment and is_swap(request) else template
    response = render(request, name, {"console": console_context(request, member), "page": page}, status=status)
    # One address has two answers; and nobody on the way keeps the figures of a balance.
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    patch_cache_control(response, private=True, no_cache=True)
    vars(response)["_csp_update"] = {"form-action": payment_origins()}  # django-csp's own name for it
    return response


def without_plan(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The page of an account whose subscription has ended: it has no period to show."""
    return render_page(request, member, "console/no_plan.html", None)
