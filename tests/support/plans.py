"""What Postgres says that it would do."""

from __future__ import annotations

from typing import Any


def steps(plan: Any) -> list[dict[str, Any]]:
    """Every step of a plan (``EXPLAIN (FORMAT JSON)``), however deep."""
    if isinstance(plan, list):
        return [step for part in plan for step in steps(part)]
    if not isinstance(plan, dict):
        return []
    own = [plan] if "Node Type" in plan else []
    return own + [step for part in plan.values() for step in steps(part)]
