"""What every page of the staff admin is made of: unfold with types, read-only pages, tables too large to count."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.views import ChangeList as UnfoldChangeList

M = TypeVar("M", bound=Model)
Parent = TypeVar("Parent", bound=Model)
Function = TypeVar("Function", bound=Callable[..., Any])

_NUL = "\0"  # in no text of PostgreSQL's

# unfold has no types and Django's classes cannot be subscripted at run time: checkers see Django's typed classes, the
# program runs unfold's, which derive from them.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _ModelAdmin
    from django.contrib.admin import TabularInline as _TabularInline
    from django.contrib.admin.views.main import ChangeList as _ChangeList

    _Paginator = Paginator[Any]

    class _TypedAdmin(_ModelAdmin[M]): ...

    class _TypedInline(_TabularInline[M, Parent]): ...

    class TypedModelForm(ModelForm[M]): ...
else:
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import TabularInline as _TabularInline

    _ChangeList = UnfoldChangeList
    _Paginator = Paginator

    class _TypedAdmin(_ModelAdmin, Generic[M]): ...

    class _TypedInline(_TabularInline, Generic[M, Parent]): ...

    class TypedModelForm(ModelForm, Generic[M]): ...


def badge(
    description: str, colours: Mapping[str, str], *, ordering: str | None = None
) -> Callable[[Function], Function]:
    """A column that shows its word in a colour: success, info, warning or danger by the word; the default is grey."""
    decorator: Callable[[Function], Function] = display(description=description, ordering=ordering, label=dict(colours))
    return decorator


def confirmed_action(
    title: str, *, question: str, icon: str, permission: str, url_path: str
) -> Callable[[Function], Function]:
    """A button on an object's page that asks first: opening it changes nothing, only the confirmation's POST does.

    The function gets (self, request, form, object_id), or without the id in a list. Whoever has
    `has_<permission>_permission` sees the button. An object that there is not is 404.
    """
    as_action = action(
        description=title,
        icon=icon,
        permissions=[permission],
        url_path=url_path,
        dialog={"title": title, "description": question, "form_class": None, "form_submit_text": title},
    )

    def decorate(function: Function) -> Function:
        view: Function = as_action(function)

        @wraps(view)  # with unfold's attributes of an action
        def opened(page: Any, request: HttpRequest, **named: str) -> HttpResponse:
            if "object_id" in named and page.get_object(request, unquote(named["object_id"])) is None:
                raise Http404(named["object_id"])
            response: HttpResponse = view(page, request, **named)
            return response

        return cast("Function", opened)

    return decorate


def show_amount(amount: Decimal) -> str:
    """An amount with its decimals, at least two and none in vain: 25.00, 0.000045."""
    whole, _, decimals = f"{amount:.9f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def go_to(url: str) -> HttpResponse:
    """Where a confirmed action ends: its dialog is posted by htmx, which follows this header with the whole page."""
    return HttpResponse(headers={"HX-Redirect": url})


def change_url(model: str, pk: object) -> str:
    """The admin page of an object; `model` is `app_label_modelname`."""
    return reverse(f"admin:{model}_change", args=[pk])


def link(model: str, pk: object, text: object) -> SafeString:
    """A link to the admin page of an object."""
    return format_html('<a class="text-link" href="{}">{}</a>', change_url(model, pk), text)


def link_to_list(model: str, text: object, **filters: object) -> SafeString:
    """A link to the admin list of a model, filtered."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a class="text-link" href="{}?{}">{}</a>', reverse(f"admin:{model}_changelist"), query, text)


def uuid_in(text: str) -> UUID | None:
    """The UUID that a search term is, with or without the prefix of a public id (`evt_…`)."""
    try:
        return UUID(text.strip().rpartition("_")[2])
    except ValueError:
        return None


class StaffAdmin(_TypedAdmin[M]):
    """Pages of a model for staff. An id finds its object, whatever text fields the list searches besides."""

    id_search_fields: ClassVar[tuple[str, ...]] = ("id",)
    list_per_page = 50
    show_full_result_count = False
    list_filter_submit = True

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> M | None:
        """None for an id that the database could not even be asked for."""
        return None if _NUL in object_id else super().get_object(request, object_id, from_field)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A filter that no value can be equal to is the list's own kind of mistake: it leads back to the whole list."""
        if any(_NUL in value for _, values in request.GET.lists() for value in values):
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        return super().changelist_view(request, extra_context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        found = uuid_in(search_term)
        if found is None:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(_any_of(self.id_search_fields, found)), False


class ReadOnly:
    """Refuses to add, change and delete, for superusers too: what it shows is written by services alone."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, StaffAdmin[M]):
    """Pages that only show."""


class StaffInline(_TypedInline[M, Parent]):
    """Rows of a related model inside an object's page."""

    extra = 0
    hide_title = True


class ReadOnlyInline(ReadOnly, StaffInline[M, Parent]):
    """Related rows that are only shown."""

    can_delete = False


class BoundedPaginator(_Paginator):
    """Counts up to a bound, so that a page costs the same however large the table is."""

    bound: ClassVar[int] = 10_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by().values("pk")[: self.bound].count()
        return len(rows)


class NarrowedChangeList(_ChangeList):
    """A list that no index orders: whole while the table is small, and by search or filter alone once it is large."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet[Any]:
        rows = super().get_queryset(request, exclude_parameters)
        narrowed = request.GET.get(SEARCH_VAR) or any(name.split("__")[0] in NARROWING for name in request.GET)
        if narrowed or BoundedPaginator(self.root_queryset, self.list_per_page).count < BoundedPaginator.bound:
            return rows
        messages.info(request, "This table is too large to list as a whole: search for a tenant, an account or an id.")
        return rows.none()


NARROWING = frozenset({"account_id", "tenant_id", "debit_account", "credit_account"})
"""What leads through an index to a small part of a large table."""


class LargeTableAdmin(ReadOnlyAdmin[M]):
    """A read-only table of millions of rows: never counted whole, ordered by an index."""

    paginator = BoundedPaginator
    show_facets = admin.ShowFacets.NEVER
    ordering: ClassVar[tuple[str, ...]] = ("-id",)


class NarrowedTableAdmin(LargeTableAdmin[M]):
    """The same without an index for the order of the whole."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[_ChangeList]:
        return NarrowedChangeList


def _any_of(fields: tuple[str, ...], value: object) -> Q:
    condition = Q()
    for field in fields:
        condition |= Q(**{field: value})
    return condition
