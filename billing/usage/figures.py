"""How each rollup and each counter is made of events: what a rebuild writes, and what a check compares with."""

from dataclasses import dataclass

from billing.usage.models.rollup import DIMENSIONS, PERIOD_DIMENSIONS, PLACE_SUMS, SUMS

# Of one account; of one period where `start` names one.
OF_ACCOUNT = "account_id = %(account)s AND (%(start)s::timestamptz IS NULL OR period_start = %(start)s::timestamptz)"
_EVENTS = f"""
    SELECT account_id, period_start, (occurred_at AT TIME ZONE 'UTC')::date AS day, workspace_id, product, unit,
           provider, model, credential_source, session, office, agent, occurred_at AS first_at, occurred_at AS last_at,
           quantity, input_tokens, output_tokens, cached_input_tokens, cost,
           CASE WHEN credential_source = 'byok' THEN cost ELSE 0 END AS own_key_cost,
           CASE WHEN product <> 'llm' THEN 0 WHEN reverses_id IS NULL THEN 1 ELSE -1 END AS requests
      FROM billing_usage_usageevent WHERE {OF_ACCOUNT}
"""
_DELTAS = f"SELECT * FROM billing_usage_usagedelta WHERE {OF_ACCOUNT}"
_EVENTS_OF_DELTAS = f"""
    SELECT *, occurred_at AS first_at, occurred_at AS last_at
      FROM quaestor_events_of_deltas(ARRAY(SELECT id FROM billing_usage_usagedelta WHERE {OF_ACCOUNT}))
"""


@dataclass(frozen=True, slots=True)
class Rollup:
    """A rollup's columns, and the statements that make it and compare it.

    `extremes` are columns that hold the least or the greatest of what events say, with the aggregate that finds it.
    """

    table: str
    dimensions: tuple[str, ...]
    sums: tuple[str, ...]
    unfolded: str
    extremes: tuple[tuple[str, str], ...] = ()
    only: str = "true"

    @property
    def values(self) -> tuple[str, ...]:
        """The columns besides the dimensions."""
        return (*(name for name, _ in self.extremes), *self.sums)

    @property
    def deletion(self) -> str:
        return f"DELETE FROM {self.table} WHERE {OF_ACCOUNT}"

    @property
    def insertion(self) -> str:
        columns = ", ".join([*self.dimensions, *self.values])
        return f"INSERT INTO {self.table} ({columns}) {self._of_events()}"

    @property
    def comparison(self) -> str:
        """Dimensions, what is read and what should be, as texts, where the two differ."""
        dimensions = ", ".join(self.dimensions)
        read, due = self._side("was"), self._side("due")
        return f"""
            SELECT {dimensions}, ARRAY[{self._texts(read)}], ARRAY[{self._texts(due)}]
              FROM ({self._as_read()}) AS was FULL JOIN ({self._of_events()}) AS due USING ({dimensions})
             WHERE ({", ".join(read)}) IS DISTINCT FROM ({", ".join(due)}) ORDER BY {dimensions}
        """

    def _side(self, side: str) -> list[str]:
        """No row is as good as a row of zeros."""
        return [f"COALESCE({side}.{one}, 0)" if one in self.sums else f"{side}.{one}" for one in self.values]

    def _texts(self, side: list[str]) -> str:
        extremes, sums = side[: len(self.extremes)], side[len(self.extremes) :]
        return ", ".join([f"{one}::text" for one in extremes] + [f"trim_scale({one}::numeric)::text" for one in sums])

    def _of_events(self) -> str:
        return self._grouped(f"({_EVENTS}) AS events WHERE {self.only}")

    def _as_read(self) -> str:
        columns = ", ".join([*self.dimensions, *self.values])
        folded = f"SELECT {columns} FROM {self.table} WHERE {OF_ACCOUNT}"
        unfolded = f"SELECT {columns} FROM ({self.unfolded}) AS unfolded WHERE {self.only}"
        return self._grouped(f"({folded} UNION ALL {unfolded}) AS meters")

    def _grouped(self, source: str) -> str:
        extremes = [f"{aggregate}({name}) AS {name}" for name, aggregate in self.extremes]
        sums = [f"sum({name}) AS {name}" for name in self.sums]
        dimensions = ", ".join(self.dimensions)
        return f"SELECT {', '.join([dimensions, *extremes, *sums])} FROM {source} GROUP BY {dimensions}"


_PLACE = ("account_id", "period_start", "workspace_id")
ROLLUPS = {
    "period": Rollup("billing_usage_periodrollup", PERIOD_DIMENSIONS, SUMS, _DELTAS),
    "day": Rollup("billing_usage_usagerollup", DIMENSIONS, SUMS, _DELTAS),
    "place": Rollup("billing_usage_placerollup", (*_PLACE, "office", "agent"), PLACE_SUMS, _EVENTS_OF_DELTAS),
    "session": Rollup(
        "billing_usage_sessionrollup",
        (*_PLACE, "session"),
        PLACE_SUMS,
        _EVENTS_OF_DELTAS,
        extremes=(("office", "max"), ("agent", "max"), ("first_at", "min"), ("last_at", "max")),
        only="session <> ''",
    ),
}
