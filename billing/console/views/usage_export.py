"""A period's events as a file (U5)."""

from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.usage_choice import Choice
from billing.console.rendering import without_plan
from billing.console.views.usage_choice import chosen
from billing.usage.export import CONTENT_TYPES, Format, export_events
from tenants.permissions import Permission

_FORMATS: dict[str, Format] = {name: name for name in CONTENT_TYPES}


@require_safe
@member_page(Permission.BILLING_VIEW)
def export(request: ConsoleRequest, member: Member) -> HttpResponseBase:
    """The chosen period's events of the chosen workspace, streamed; `?format=` is csv or jsonl, else 404."""
    written = _FORMATS.get(request.GET.get("format", ""))
    if written is None:
        raise Http404
    choice = chosen(request, member, now())
    if choice is None:
        return without_plan(request, member)
    events = export_events(
        account_id=member.account.id,
        period=choice.period,
        workspace_id=choice.workspace_id,
        file_format=written,
    )
    response = StreamingHttpResponse(events, content_type=CONTENT_TYPES[written])
    response["Content-Disposition"] = f'attachment; filename="{_file_name(member, choice)}.{written}"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _file_name(member: Member, choice: Choice) -> str:
    """As in usage-acme-2026-03-10-main."""
    workspace = choice.workspace.slug if choice.workspace is not None else ""
    parts = ["usage", member.tenant.slug, f"{choice.period.start:%Y-%m-%d}", workspace]
    return "-".join(part for part in parts if part)
