"""A worker that folds, says so before it commits, and waits there to be killed. No test itself."""

import os
import time

from django.db import connection, transaction

from billing.usage.services.flush_rollups import flush_rollups


def fold_and_wait() -> None:
    """Fold everything in a transaction that stays open."""
    with transaction.atomic(), connection.cursor():
        folded = flush_rollups()
        os.write(1, f"{folded}\n".encode())
        time.sleep(600)
