"""The service's own wiring, read from its container, with ports of the simulation's.

A container takes milliseconds to make, and a process has to start anew in much less.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from dependency_injector.providers import (
    AttributeGetter,
    Factory,
    Object,
    ProvidedInstance,
    Provider,
    Singleton,
)

from entrypoints.container import Container


class Wiring:
    """Used like the container; ``ports`` replace its providers of those names."""

    def __init__(self, **ports: object) -> None:
        self._made: dict[Provider[Any], Any] = {
            Container.providers[name]: port for name, port in ports.items()
        }

    def __getattr__(self, name: str) -> Callable[[], Any]:
        return partial(self._make, Container.providers[name])

    def _make(self, provider: Provider[Any]) -> Any:
        if provider in self._made:
            return self._made[provider]
        match provider:
            case Singleton():
                made = self._made[provider] = self._built(provider)
                return made
            case Factory():
                return self._built(provider)
            case AttributeGetter():
                return getattr(self._make(provider.provides), provider.name)
            case ProvidedInstance():
                return self._make(provider.provides)
            case Object():
                return provider()
        raise NotImplementedError(f"the simulation does not know how to make a {provider!r}")

    def _built(self, provider: Any) -> Any:
        parts = {
            name: self._make(part) if isinstance(part, Provider) else part
            for name, part in provider.kwargs.items()
        }
        return provider.cls(*provider.args, **parts)
