"""What an endpoint's state means for whoever keeps the service."""

from domain.endpoint import Disabled, Endpoint
from domain.ports.deliveries import Backlog
from entrypoints.cli.endpoints import shown_url, state_of


def verdict(endpoint: Endpoint, backlog: Backlog) -> tuple[bool, str]:
    """Whether it is told what it should be, and in one line how it is, with the next command where not."""
    told = f"{shown_url(endpoint.url)} ({endpoint.id}) {state_of(endpoint)}, {_shown(backlog)}"
    if endpoint.disabled is Disabled.GONE:
        advice = f"bayar endpoints enable {endpoint.id}, or disable it if it is not wanted any more"
        return False, f"{told}; {advice}"
    if endpoint.disabled is not None:
        return True, told
    if endpoint.failing_since is not None:
        return False, f"{told}; bayar deliveries list shows its last answers"
    if backlog.gave_up:
        return False, f"{told}; bayar deliveries list --failed, then bayar deliveries resend --failed"
    return True, told


def _shown(backlog: Backlog) -> str:
    waiting = f"{backlog.waiting} {'event waits' if backlog.waiting == 1 else 'events wait'}"
    return f"{waiting}, {backlog.gave_up} given up" if backlog.gave_up else waiting
