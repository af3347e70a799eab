import pytest
from hypothesis import settings

pytest.register_assert_rewrite("support")

# The same examples on every run and every machine; `make fuzz` looks longer, and elsewhere each time.
settings.register_profile("bayar", max_examples=60, deadline=None, derandomize=True, database=None)
settings.register_profile("fuzz", max_examples=1000, deadline=None, database=None)
settings.load_profile("bayar")
