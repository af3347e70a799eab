"""What stands between Midtrans and the webhook, in one plain sentence."""

from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from domain.ports.webhook_probe import Answered, Silence, Unanswered

_OURS: Final = (400, "application/problem+json", "invalid-body")
_FOLLOWED: Final = frozenset({307, 308})
_PORTS: Final = {80, 443}
_REDIRECTS: Final = range(300, 400)
_SHOWN: Final = 200
_OPEN: Final = "leave this path open, for a notification's signature proves who sent it"
_SILENCES: Final = {
    Silence.NO_SUCH_HOST: "the name {host} is not found (DNS)",
    Silence.REFUSED: "nothing listens there (connection refused); start bayar serve, and look at the proxy "
    "and the firewall",
    Silence.NO_ROUTE: "no network leads there",
    Silence.TIMEOUT: "no answer within 5 s; a firewall drops it, or this machine does not reach its own "
    "public address",
    Silence.CLOSED: "the connection ended without an answer in HTTP",
    Silence.EXPIRED: "the TLS certificate has expired; renew it",
    Silence.OTHER_NAME: "the TLS certificate is for another name than {host}",
    Silence.UNKNOWN_ISSUER: "the TLS certificate's issuer is unknown: it is self-signed, or the server does "
    "not send the whole chain (fullchain.pem)",
    Silence.BAD_CERTIFICATE: "the TLS certificate is not accepted ({detail})",
    Silence.NO_TLS: "the port does not speak TLS; is it the http one?",
    Silence.OLD_TLS: "TLS 1.2 is not on offer, only older ones",
    Silence.BAD_HANDSHAKE: "the TLS handshake fails ({detail})",
}
_STATUSES: Final = {
    401: f"a login stands before it (401); {_OPEN}",
    403: f"a firewall, an address filter or a bot check refuses it (403); {_OPEN}",
    404: "there is nothing (404); does the proxy pass this path on to Bayar, whole?",
    405: "POST is not taken there (405); another program answers, or the proxy itself",
    413: "two bytes are too large for the proxy (413); allow 128 KB (nginx: client_max_body_size)",
    429: "the proxy limits how often it may be called (429); leave this path out of it",
    502: "the proxy gets no answer from Bayar (502); is bayar serve running where it passes requests to?",
    503: "the proxy has no Bayar to pass it to (503); is bayar serve running where it passes requests to?",
    504: "the proxy waits for Bayar in vain (504); is bayar serve running where it passes requests to?",
}


def verdict(
    url: str, reply: Answered | Unanswered, *, by_midtrans: bool, is_public: bool
) -> tuple[bool, str]:
    """Whether Midtrans's notifications arrive at ``url``, and what is in their way otherwise.

    ``by_midtrans`` when it is Midtrans itself that sends them, and no look-alike.
    """
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    if by_midtrans and port not in _PORTS:
        return False, f"{url}: Midtrans notifies ports 80 and 443 only, never {port}"
    if isinstance(reply, Unanswered):
        told = _SILENCES[reply.why].format(host=parts.hostname, detail=reply.detail)
        return False, f"{url}: {told}"
    trouble = _trouble(url, reply)
    if trouble:
        return False, f"{url}: {trouble}"
    if by_midtrans and not is_public:
        return False, f"{url}: Bayar answers, but Midtrans reaches public addresses only"
    return True, f"{url} answers as it should"


def _trouble(url: str, answer: Answered) -> str | None:
    status = answer.status
    if (status, answer.media_type, answer.code) == _OURS:
        if answer.tls_1_2 is False:
            return "TLS 1.2 is not on offer, and Midtrans may not speak 1.3"
        return None
    if status in _REDIRECTS:
        return _redirect(url, status, answer.location)
    told = _told(answer)
    if answer.media_type == "text/html":
        return f"an HTML page comes back, which Bayar never sends there: {told}"
    return told


def _redirect(url: str, status: int, location: str | None) -> str:
    what_then = (
        "Midtrans follows this kind, but five at most and with its time running; give it the last address"
        if status in _FOLLOWED
        else "Midtrans does not follow it: the notification is lost"
    )
    return f"it is redirected {_where(url, status, location)}; {what_then}"


def _where(url: str, status: int, location: str | None) -> str:
    try:
        target = urlsplit(urljoin(url, location or ""))
    except ValueError:
        target = None
    if location is None or target is None:
        return f"to nowhere ({status} without an address)"
    # Without its query and user: a way to a login may carry what is nobody's business.
    bare = target._replace(netloc=target.netloc.rpartition("@")[2], query="", fragment="")
    return f"{_kind(urlsplit(url), target)} ({status} to {bare.geturl()[:_SHOWN]})"


def _kind(here: SplitResult, target: SplitResult) -> str:
    if here.hostname != target.hostname:
        return "to another host"
    if (here.scheme, target.scheme) == ("http", "https"):
        return "from http to https"
    if target.path == f"{here.path}/":
        return "to a trailing slash"
    return "to another address"


def _told(answer: Answered) -> str:
    status = answer.status
    if answer.code in {"not-found", "method-not-allowed"}:
        return (
            f"Bayar answers, but under another path ({status}): the proxy takes a part of the path away or "
            "adds one; pass every path through as it is"
        )
    if answer.asks_for_password:
        return f"it asks for a password ({status}), which Midtrans never sends; {_OPEN}"
    if status in _STATUSES:
        return _STATUSES[status]
    if status < _REDIRECTS.start:
        return (
            f"something else than Bayar answers {status}, which Midtrans takes as delivered: the "
            "notification is lost"
        )
    return f"something else than Bayar answers ({status})"
