"""The catalogue of language models and what their tokens cost, by date."""

from decimal import Decimal

from django.db import models
from uuid_utils.compat import uuid7

from tenants.append_only import append_only


class Model(models.Model):
    """A model of a provider, by the name that the provider's API knows."""

    class Tier(models.TextChoices):
        FAST = "fast"
        STANDARD = "standard"
        HEAVY = "heavy"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=40)
    name = models.CharField(max_length=120, help_text="The model's id in the provider's API.")
    title = models.CharField(max_length=120)
    tier = models.CharField(max_length=10, choices=Tier)
    context_window = models.PositiveIntegerField(null=True, blank=True)
    is_listed = models.BooleanField(default=True, help_text="Offered to new runs and shown in the public list.")

    class Meta:
        ordering = ["provider", "name"]
        constraints = [models.UniqueConstraint(fields=["provider", "name"], name="model_once")]

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"


def _rate() -> "models.DecimalField[Decimal, Decimal]":
    return models.DecimalField(max_digits=18, decimal_places=9)


class ModelPrice(models.Model):
    """Prices per million tokens, in US dollars, from `effective_from` on. Append-only: a new price is a new row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    model = models.ForeignKey(Model, models.PROTECT, related_name="prices")
    effective_from = models.DateTimeField()
    input_per_million = _rate()
    output_per_million = _rate()
    cached_input_per_million = models.DecimalField(max_digits=18, decimal_places=9, null=True, blank=True)
    long_context = models.JSONField(
        default=list, blank=True, help_text="Rates of requests whose input exceeds a number of tokens."
    )
    source = models.CharField(max_length=100)

    class Meta:
        ordering = ["model", "-effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["model", "effective_from"], name="modelprice_once"),
            models.CheckConstraint(
                condition=models.Q(input_per_million__gte=0, output_per_million__gte=0)
                & (models.Q(cached_input_per_million__isnull=True) | models.Q(cached_input_per_million__gte=0)),
                name="modelprice_not_negative",
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.model} from {self.effective_from:%Y-%m-%d}"
