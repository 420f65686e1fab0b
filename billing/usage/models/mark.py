"""How far an account's usage has been written on documents, in the order of its ledger lock and not of clocks."""

from django.db import models


class DocumentMark(models.Model):
    """The position of the last document that an account was issued: what is recorded from then on is on a later one.

    Written and read under the account's ledger lock (see `UsageEvent.after_document`). Without a row there is none.
    """

    account_id = models.UUIDField(primary_key=True)
    position = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.position} of {self.account_id}"
