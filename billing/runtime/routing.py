"""Which models a run may get: the one it names, or those of a tier that the plan allows, cheapest first (R2)."""

from decimal import Decimal
from fnmatch import fnmatchcase

from billing.core.problems import problem
from billing.plans.queries import ListedModel, PriceBook
from billing.pricing.tokens import rate_tokens
from billing.runtime.requests import AuthorizationRequest
from billing.subscriptions.terms import AccountTerms

LOCAL_PROVIDER = "ollama"  # runs on the tenant's own machines
# Cheap before expensive kinds of provider; within a kind the lowest quote decides.
_LOCAL, _FREE, _GROQ, _PAID = range(4)


def route(request: AuthorizationRequest, terms: AccountTerms, prices: PriceBook, *, local: bool) -> list[ListedModel]:
    """The models to run on, the preferred one first; the first that there is a key for is taken.

    `local` where the tenant has told of its own machines: without them a tier has no local models.
    Raises Problem where there is none: unknown, unpriced, or denied by the plan.
    """
    if request.recommended_model_tier is not None:
        if request.provider is not None or request.model is not None:
            raise problem("invalid-request", "Send either provider and model, or recommended_model_tier.")
        return _by_preference(request, terms, prices, local=local)
    if request.provider is None or request.model is None:
        raise problem("invalid-request", "Send provider and model, or recommended_model_tier.")
    model = prices.models.get((request.provider, request.model))
    if model is None:
        raise problem(
            "model-not-found",
            f"The price list has no model {request.provider}/{request.model}.",
            remedy="Use a model of GET /v1/pricing/models.",
        )
    if _is_denied(model, terms):
        raise problem(
            "model-denied-by-plan",
            f"The plan “{terms.plan_name}” does not include {model.model}.",
            limit_source=terms.limit("denied_models").source,
            remedy="Use another model, or a plan that includes this one.",
        )
    return [model]


def _is_denied(model: ListedModel, terms: AccountTerms) -> bool:
    patterns = terms.limit("denied_models").value or []
    return any(fnmatchcase(model.model, pattern) for pattern in patterns)


def _by_preference(
    request: AuthorizationRequest, terms: AccountTerms, prices: PriceBook, *, local: bool
) -> list[ListedModel]:
    needed = request.input_tokens + request.max_output_tokens
    capable = [
        model
        for model in prices.models.values()
        if model.tier == request.recommended_model_tier
        and (local or model.provider != LOCAL_PROVIDER)
        and (model.context_window is None or model.context_window >= needed)
        and not _is_denied(model, terms)
    ]
    if not capable:
        raise problem(
            "no-model-available",
            f"No {request.recommended_model_tier} model that the plan allows takes {needed} tokens.",
            limit_source=terms.limit("denied_models").source,
            remedy="Ask for fewer tokens, another tier, or name a model.",
        )
    return sorted(capable, key=lambda model: (_kind(model), quote(model, request), model.provider, model.model))


def _kind(model: ListedModel) -> int:
    if model.provider == LOCAL_PROVIDER:
        return _LOCAL
    if model.rates.input_per_million == 0 and model.rates.output_per_million == 0:
        return _FREE
    return _GROQ if model.provider == "groq" else _PAID


def quote(model: ListedModel, request: AuthorizationRequest) -> Decimal:
    """The most that the run can cost: all input at the full rate, all output that is allowed. In US dollars."""
    return rate_tokens(model.rates, input_tokens=request.input_tokens, output_tokens=request.max_output_tokens).total
