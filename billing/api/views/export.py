"""GET /v1/usage/export: a period's events as a file."""

from typing import cast

from django.http import StreamingHttpResponse
from django.utils.timezone import now
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from billing.api.lookups import billed_by
from billing.api.periods import period_meant
from billing.api.permissions import caller_of
from billing.api.views.base import SEE_BILLING, ApiView
from billing.api.views.usage import AccountPeriodQuery
from billing.usage.export import CONTENT_TYPES, Format, export_events, export_name


class ExportQuery(AccountPeriodQuery):
    """Which period of which workspace, and how it is written."""

    format = serializers.ChoiceField(choices=sorted(CONTENT_TYPES), default="csv", help_text="`csv` or `jsonl`.")


class UsageExport(ApiView):
    """GET /v1/usage/export"""

    scopes = {"GET": SEE_BILLING}

    @extend_schema(
        operation_id="export_usage",
        tags=["Usage"],
        summary="A period's events as a file",
        parameters=[ExportQuery],
        responses={(200, kind): OpenApiTypes.STR for kind in CONTENT_TYPES.values()},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Every event of the account's period, or of one workspace in it, oldest first, with the fields of
        `GET /v1/usage/events`. CSV has a header and puts an apostrophe before texts that a spreadsheet would take for
        a formula; in JSON Lines every text is as it was reported.
        """
        query = ExportQuery.read(request)
        billed = billed_by(caller_of(request), query.get("workspace"))
        account_id, written = billed.account.id, cast("Format", query["format"])
        period = period_meant(account_id, query["period"], now())
        events = export_events(
            account_id=account_id, period=period, workspace_id=billed.workspace_id, file_format=written
        )
        name = export_name(account_id=account_id, period=period, file_format=written)
        return StreamingHttpResponse(
            events,
            content_type=CONTENT_TYPES[written],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
