import pytest

pytest.register_assert_rewrite("tests.stripe_sync.both_sides")
