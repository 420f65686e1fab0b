"""The API's addresses below /v1."""

from django.urls import path, re_path

from billing.api.hot import runtime
from billing.api.views import (
    agents,
    balance,
    byok,
    checkout,
    documents,
    entitlements,
    events,
    export,
    fallback,
    invoices,
    knowledge,
    ledger,
    models,
    payment_methods,
    plans,
    quota,
    sessions,
    spend_controls,
    subscription,
    topups,
    usage,
    usage_sessions,
)
from billing.api.views.vault import accesses, assignments, credentials, policy, providers, versions
from billing.api.views.webhooks import deliveries as webhook_deliveries
from billing.api.views.webhooks import endpoints as webhook_endpoints

_CREDENTIAL = "vault/credentials/<str:credential_id>"
_WEBHOOK = "webhook-endpoints/<str:endpoint_id>"
_WORKSPACE = "workspaces/<str:workspace>"
_RUN = "runtime/authorizations"

urlpatterns = [
    path("pricing/models", models.PublicModels.as_view()),
    path("pricing/plans", plans.PublicPlans.as_view()),
    path(f"{_WORKSPACE}/billing/plans", plans.WorkspacePlans.as_view()),
    path(f"{_WORKSPACE}/billing/entitlements", entitlements.Entitlements.as_view()),
    path(f"{_WORKSPACE}/billing/usage", usage.WorkspaceUsage.as_view()),
    path(f"{_WORKSPACE}/billing/checkout-session", checkout.PlanCheckout.as_view()),
    path(f"{_WORKSPACE}/billing/portal", checkout.Portal.as_view()),
    path(f"{_WORKSPACE}/billing/byo-toggle", byok.ByoToggle.as_view()),
    path(f"{_WORKSPACE}/billing/subscription", subscription.Subscription.as_view()),
    path(f"{_WORKSPACE}/billing/subscription/preview", subscription.SubscriptionPreview.as_view()),
    path(f"{_WORKSPACE}/agents", agents.Agents.as_view()),
    path(f"{_WORKSPACE}/agents/<str:agent_id>", agents.AgentDetail.as_view()),
    path(f"{_WORKSPACE}/kb/sources", knowledge.Sources.as_view()),
    path(f"{_WORKSPACE}/kb/sources/<str:source_id>", knowledge.SourceDetail.as_view()),
    path("billing/usage", usage.Usage.as_view()),
    path("billing/balance", balance.Balance.as_view()),
    path("billing/spend-controls", spend_controls.Controls.as_view()),
    path("billing/invoices", invoices.Invoices.as_view()),
    path("billing/invoices/<str:invoice_id>", invoices.InvoiceDetail.as_view(), name="api-invoice"),
    path("billing/ledger", ledger.Ledger.as_view()),
    path("billing/topups", topups.TopUps.as_view()),
    path("billing/topups/<str:topup_id>", topups.TopUpDetail.as_view()),
    path("billing/payment-methods", payment_methods.PaymentMethods.as_view()),
    path("quota/tokens", quota.TokenQuota.as_view()),
    path("sessions", sessions.Sessions.as_view()),
    path("sessions/quota", sessions.SessionQuota.as_view()),
    path("sessions/<str:session_id>", sessions.SessionDetail.as_view()),
    path("usage/events", events.UsageEvents.as_view()),
    path("usage/sessions", usage_sessions.SessionLedger.as_view()),
    path("usage/export", export.UsageExport.as_view()),
    path(_RUN, runtime.authorizations),
    path(f"{_RUN}/<str:authorization_id>/credential", runtime.credential),
    path(f"{_RUN}/<str:authorization_id>/settle", runtime.settle),
    path(f"{_RUN}/<str:authorization_id>/void", runtime.void),
    path("vault/credentials", credentials.Credentials.as_view()),
    path(_CREDENTIAL, credentials.CredentialDetail.as_view()),
    path(f"{_CREDENTIAL}/rotate", versions.RotateCredential.as_view()),
    path(f"{_CREDENTIAL}/restore", versions.RestoreVersion.as_view()),
    path(f"{_CREDENTIAL}/validate", versions.ValidateCredential.as_view()),
    path("vault/assignments", assignments.Assignments.as_view()),
    path("vault/policy", policy.Policy.as_view()),
    path("vault/providers", providers.Providers.as_view()),
    path("vault/accesses", accesses.Accesses.as_view()),
    path("webhook-endpoints", webhook_endpoints.WebhookEndpoints.as_view()),
    path(_WEBHOOK, webhook_endpoints.WebhookEndpointDetail.as_view()),
    path(f"{_WEBHOOK}/rotate-secret", webhook_endpoints.RotateSecret.as_view()),
    path(f"{_WEBHOOK}/test", webhook_deliveries.TestEvent.as_view()),
    path(f"{_WEBHOOK}/deliveries", webhook_deliveries.WebhookDeliveries.as_view()),
    path(f"{_WEBHOOK}/deliveries/<str:delivery_id>", webhook_deliveries.WebhookDeliveryDetail.as_view()),
    path(f"{_WEBHOOK}/deliveries/<str:delivery_id>/redeliver", webhook_deliveries.Redeliver.as_view()),
    path("openapi.json", documents.OpenApiDocument.as_view(), name="api-document"),
    path("docs", documents.Docs.as_view(), name="api-docs"),
    re_path("", fallback.nothing_here),
]
