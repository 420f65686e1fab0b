"""What other applications register for sign-in, in this admin's look and without their secrets."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import ManyToManyField
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest

from tenants.staff_admin import ReadOnlyAdmin, StaffAdmin

for model in (EmailAddress, Authenticator, Group):
    admin.site.unregister(model)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin[EmailAddress]):
    """Addresses change by their owners' hand alone."""

    list_display = ("email", "user", "primary", "verified")
    list_select_related = ("user",)
    list_filter = ("primary", "verified")
    search_fields = ("email", "user__email")
    search_help_text = "E-mail address"


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin[Authenticator]):
    """Second factors. Their secrets are not shown; deleting one lets its owner in without it."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type", "created_at")
    search_fields = ("user__email",)
    search_help_text = "E-mail address"
    exclude = ("data",)

    def has_delete_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        return request.user.has_perm("mfa.delete_authenticator")


@admin.register(Group)
class GroupAdmin(StaffAdmin[Group]):
    """Rights that several of the staff share."""

    search_fields = ("name",)
    filter_horizontal = ("permissions",)

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        """Each permission is shown with its content type: read them together."""
        permissions = Permission.objects.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, queryset=permissions, **kwargs)
