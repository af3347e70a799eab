import pytest
from hypothesis import settings

pytest.register_assert_rewrite("support")

# The same examples on every run and every machine; a longer hunt is another issue's.
settings.register_profile("bayar", max_examples=60, deadline=None, derandomize=True, database=None)
settings.load_profile("bayar")
