"""How handlers name what the container made for them."""

from typing import TypeVar

from litestar.di import NamedDependency
from litestar.params import SkipValidation

T = TypeVar("T")

# Our own objects, made once: there is nothing to convert or to validate per request.
Injected = NamedDependency[SkipValidation[T]]
