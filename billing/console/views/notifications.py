"""Which e-mails a member gets: everybody chooses for themselves, for each tenant."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.notifications import categories_of, notifications_page
from billing.console.rendering import render_page
from billing.notifications.services.choose_emails import choose_emails
from tenants.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.BILLING_VIEW)
def notifications(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The choices; a POST saves them. An unknown box is ignored, and one that is fixed stays."""
    if request.method == "POST":
        wanted = {category: category.value in request.POST for category in categories_of(member)}
        choose_emails(tenant_id=member.tenant.id, user_id=member.user.pk, wanted=wanted)
        messages.success(request, "Saved. Your choice holds from the next e-mail on.")
        return redirect("console:notifications")
    return render_page(request, member, "console/notifications.html", notifications_page(member))
