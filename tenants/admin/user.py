"""People who sign in."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.forms import Field
from django.http import HttpRequest
from unfold import forms

from tenants.models import Membership, User
from tenants.staff_admin import ReadOnlyInline, StaffAdmin

# unfold's forms have no types; checkers see the Django forms that they derive from.
if TYPE_CHECKING:
    from django.contrib.auth.forms import AdminUserCreationForm
    from django.contrib.auth.forms import UserChangeForm as DjangoUserChangeForm

    class _UserCreationForm(AdminUserCreationForm[User]): ...

    class _UserChangeForm(DjangoUserChangeForm[User]): ...

    class _UserAdmin(DjangoUserAdmin[User]): ...
else:
    _UserCreationForm, _UserChangeForm = forms.UserCreationForm, forms.UserChangeForm

    class _UserAdmin(DjangoUserAdmin, StaffAdmin): ...


_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class UserCreationForm(_UserCreationForm):
    """A new person, by e-mail address."""

    class Meta:
        model = User
        fields = ("email",)
        field_classes: ClassVar[dict[str, type[Field]]] = {}


class UserChangeForm(_UserChangeForm):
    """A person; the password has a page of its own."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, type[Field]]] = {}


class MembershipOfUserInline(ReadOnlyInline[Membership, User]):
    model = Membership
    fields = ("tenant", "role", "created_at")
    readonly_fields = fields


@admin.register(User)
class UserAdmin(_UserAdmin):
    """A person is never deleted: the audit log names them. Only superusers give rights, or touch a superuser."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = forms.AdminPasswordChangeForm
    list_display = ("email", "name", "is_staff", "is_active", "date_joined", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email", "name")
    search_help_text = "E-mail address or name"
    ordering = ("email",)
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("last_login", "date_joined")
    inlines = (MembershipOfUserInline,)
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "is_active")}),
        ("Rights in this admin", {"fields": _RIGHTS}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        out_of_reach = isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser
        return not out_of_reach and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else (*fields, *_RIGHTS)
