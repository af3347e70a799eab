"""What the doctor says of the webhook as it is reached from outside: one plain sentence for each trouble."""

import json
from typing import Any

import pytest

from domain.ports.webhook_probe import Answered, Silence, Unanswered
from entrypoints.cli.webhook_check import verdict
from support.fake_webhook_probe import AS_BAYAR
from unit.entrypoints.commands import over, run
from unit.entrypoints.harness import Service, a_service

URL = "https://pay.shop.example/api/payments/webhook"
HTTP_URL = URL.replace("https", "http")


def told(reply: Answered | Unanswered, *, url: str = URL) -> str:
    """The trouble with an address that Midtrans itself should reach."""
    ok, sentence = verdict(url, reply, by_midtrans=True, is_public=True)
    assert not ok
    assert sentence.startswith(f"{url}: ")
    assert sentence.isprintable()
    return sentence.removeprefix(f"{url}: ")


def test_our_own_answer_is_as_it_should_be() -> None:
    assert verdict(URL, AS_BAYAR, by_midtrans=True, is_public=True) == (True, f"{URL} answers as it should")


@pytest.mark.parametrize("status", [301, 302, 303])
@pytest.mark.parametrize(
    ("url", "location", "where"),
    [
        (HTTP_URL, URL, "from http to https"),
        (URL, f"{URL}/", "to a trailing slash"),
        (URL, "/api/payments/webhook/", "to a trailing slash"),
        (URL, "https://www.shop.example/api/payments/webhook", "to another host"),
        (URL, "//www.shop.example/", "to another host"),
        (URL, "/login?next=/api", "to another address"),
    ],
)
def test_a_redirect_that_midtrans_does_not_follow_is_named(
    status: int, url: str, location: str | None, where: str
) -> None:
    sentence = told(Answered(status=status, location=location), url=url)

    assert sentence.startswith(f"it is redirected {where} ({status} to http")
    assert sentence.endswith("Midtrans does not follow it: the notification is lost")


@pytest.mark.parametrize("location", [None, "http://[", "//[::"])
def test_a_redirect_to_no_address_at_all_is_told_so(location: str | None) -> None:
    assert told(Answered(status=302, location=location)).startswith(
        "it is redirected to nowhere (302 without an address); Midtrans does not follow it"
    )


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_midtrans_follows_is_told_as_such(status: int) -> None:
    sentence = told(Answered(status=status, location=URL), url=HTTP_URL)

    assert sentence == (
        f"it is redirected from http to https ({status} to {URL}); Midtrans follows this kind, but five at "
        "most and with its time running; give it the last address"
    )


def test_what_a_redirect_carries_is_not_repeated() -> None:
    for location in ("/login?token=hunter2#hunter3", "https://hunter4:hunter5@pay.shop.example/login"):
        sentence = told(Answered(status=302, location=location))

        assert "hunter" not in sentence
        assert "https://pay.shop.example/login" in sentence


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Answered(status=401, asks_for_password=True), "asks for a password (401)"),
        (Answered(status=401), "a login stands before it (401)"),
        (Answered(status=403), "a firewall, an address filter or a bot check refuses it (403)"),
        (Answered(status=404), "there is nothing (404)"),
        (Answered(status=404, code="not-found"), "Bayar answers, but under another path (404)"),
        (Answered(status=405, code="method-not-allowed"), "Bayar answers, but under another path (405)"),
        (Answered(status=405), "POST is not taken there (405)"),
        (Answered(status=413), "client_max_body_size"),
        (Answered(status=429), "limits how often"),
        (Answered(status=502), "is bayar serve running"),
        (Answered(status=503), "is bayar serve running"),
        (Answered(status=504), "is bayar serve running"),
        (Answered(status=200), "Midtrans takes as delivered: the notification is lost"),
        (Answered(status=204), "Midtrans takes as delivered: the notification is lost"),
        (Answered(status=400), "something else than Bayar answers (400)"),
        (Answered(status=400, media_type="application/json", code="invalid-body"), "something else than"),
        (Answered(status=400, media_type="application/problem+json"), "something else than Bayar answers"),
        (Answered(status=500), "something else than Bayar answers (500)"),
        (Answered(status=520), "something else than Bayar answers (520)"),
        (Answered(status=418, media_type="text/html"), "an HTML page comes back"),
        (
            Answered(status=400, media_type="application/problem+json", code="invalid-body", tls_1_2=False),
            "TLS 1.2 is not on offer",
        ),
        (Unanswered(why=Silence.NO_SUCH_HOST), "the name pay.shop.example is not found (DNS)"),
        (Unanswered(why=Silence.REFUSED), "connection refused"),
        (Unanswered(why=Silence.NO_ROUTE), "no network leads there"),
        (Unanswered(why=Silence.TIMEOUT), "no answer within 5 s"),
        (Unanswered(why=Silence.CLOSED), "without an answer in HTTP"),
        (Unanswered(why=Silence.EXPIRED), "the TLS certificate has expired"),
        (Unanswered(why=Silence.OTHER_NAME), "for another name than pay.shop.example"),
        (Unanswered(why=Silence.UNKNOWN_ISSUER), "issuer is unknown"),
        (Unanswered(why=Silence.BAD_CERTIFICATE, detail="not yet valid"), "not accepted (not yet valid)"),
        (Unanswered(why=Silence.NO_TLS), "does not speak TLS"),
        (Unanswered(why=Silence.OLD_TLS), "TLS 1.2 is not on offer, only older ones"),
        (Unanswered(why=Silence.BAD_HANDSHAKE, detail="no shared cipher"), "fails (no shared cipher)"),
    ],
)
def test_every_trouble_has_its_own_sentence(reply: Answered | Unanswered, words: str) -> None:
    assert words in told(reply)


@pytest.mark.parametrize("why", list(Silence))
def test_no_silence_is_without_a_word(why: Silence) -> None:
    assert told(Unanswered(why=why, detail="detail"))


def test_html_is_told_as_something_else() -> None:
    assert told(Answered(status=502, media_type="text/html")).startswith(
        "an HTML page comes back, which Bayar never sends there: the proxy gets no answer"
    )


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("https://pay.shop.example:8443/api/payments/webhook", 8443),
        ("http://pay.shop.example:8080/api/payments/webhook", 8080),
    ],
)
def test_a_port_that_midtrans_does_not_notify_is_named_whatever_answers(url: str, port: int) -> None:
    assert told(AS_BAYAR, url=url) == f"Midtrans notifies ports 80 and 443 only, never {port}"
    assert verdict(url, AS_BAYAR, by_midtrans=False, is_public=True)[0]


def test_an_address_that_only_this_network_reaches_is_named_for_midtrans_alone() -> None:
    url = "http://localhost/api/payments/webhook"

    assert verdict(url, AS_BAYAR, by_midtrans=False, is_public=False)[0]
    assert verdict(url, AS_BAYAR, by_midtrans=True, is_public=False) == (
        False,
        f"{url}: Bayar answers, but Midtrans reaches public addresses only",
    )


class TestDoctor:
    """The same as a line of ``bayar doctor``."""

    @pytest.fixture
    def service(self) -> Service:
        return a_service()

    @pytest.fixture(autouse=True)
    def _over_fakes(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        over(service, monkeypatch)

    def found(self, check: str) -> tuple[int, Any]:
        result = run("doctor", "--json")
        return result.exit_code, next((f for f in json.loads(result.stdout) if f["check"] == check), None)

    def test_without_a_public_address_it_says_what_the_dashboard_needs(self, service: Service) -> None:
        status, finding = self.found("webhook")

        assert (status, finding["ok"]) == (0, True)
        assert "BAYAR_PUBLIC_URL is not set" in finding["detail"]
        assert "/api/payments/webhook" in finding["detail"]
        assert service.container.webhook_probe().asked == []

    def test_the_public_address_is_probed(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BAYAR_PUBLIC_URL", "https://pay.shop.example/")

        assert self.found("webhook") == (
            0, {"check": "webhook", "ok": True, "detail": f"{URL} answers as it should"},
        )  # fmt: skip
        assert service.container.webhook_probe().asked == [URL]

    def test_trouble_is_one_line_and_exit_status_1(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BAYAR_PUBLIC_URL", "https://pay.shop.example")
        service.container.webhook_probe().reply = Answered(status=301, location=f"{URL}/")

        result = run("doctor")

        (line,) = [line for line in result.stdout.splitlines() if line.startswith("webhook")]
        assert result.exit_code == 1
        assert "to a trailing slash" in line

    @pytest.mark.parametrize(
        ("environment", "url", "ok"),
        [
            ("sandbox", "http://localhost:8080", False),
            ("production", "https://pay.shop.example:8443", False),
            ("production", "https://10.1.2.3", False),
            ("production", "https://pay.internal", False),
            ("production", "https://pay.shop.example", True),
        ],
    )
    def test_what_midtrans_cannot_reach_fails(
        self,
        monkeypatch: pytest.MonkeyPatch,
        environment: str,
        url: str,
        ok: bool,  # noqa: FBT001 - a case
    ) -> None:
        monkeypatch.setenv("MIDTRANS_ENV", environment)
        monkeypatch.setenv("BAYAR_PUBLIC_URL", url)

        assert self.found("webhook")[1]["ok"] is ok

    def test_toward_a_look_alike_any_address_will_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MIDTRANS_BASE_URL", "http://127.0.0.1:8091")
        monkeypatch.setenv("BAYAR_PUBLIC_URL", "http://127.0.0.1:8090")

        assert self.found("webhook")[1]["ok"]

    @pytest.mark.parametrize(("apart", "ok"), [(0.0, True), (5.0, True), (5.1, False), (3600.0, False)])
    def test_a_clock_far_from_midtrans_s_fails(self, service: Service, apart: float, ok: bool) -> None:  # noqa: FBT001 - a case
        service.container.midtrans().apart = apart

        status, finding = self.found("clock at Midtrans")

        assert (status, finding["ok"]) == (0 if ok else 1, ok)
        assert finding["detail"].startswith(f"{apart:.1f} s apart from Midtrans's")

    def test_a_midtrans_that_does_not_tell_the_time_has_no_line(self, service: Service) -> None:
        service.container.midtrans().apart = None

        assert self.found("clock at Midtrans") == (0, None)
