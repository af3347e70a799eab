"""The documentation page: all of the API document, without a script and without anything from elsewhere."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from domain.ports.gateway import RefundTaken
from domain.status import Status
from entrypoints.http.docs import Page
from unit.entrypoints.harness import Service

VOID = {"meta", "wbr"}
EVIL = '<i onclick="alert(1)">&amp;\'`x`'


class Read(HTMLParser):
    """Tags that are closed in order, their attributes, and the text that a person sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.style = self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.text += " " if tag == "p" else ""
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.style += data
        else:
            self.text += data

    def all_of(self, attribute: str) -> list[str]:
        return [value for name, value in self.attributes if name == attribute]


@pytest.fixture
async def answer(service: Service) -> httpx.Response:
    return await service.client.get("/docs")


@pytest.fixture
async def document(service: Service) -> Any:
    return (await service.client.get("/docs/openapi.json")).json()


@pytest.fixture
def page(answer: httpx.Response) -> Read:
    return Read(answer.text)


def plain(text: str) -> str:
    """A text of the document as the page shows it, whatever the white space."""
    return " ".join(text.replace("`", "").split())


def nodes_of(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document."""
    if isinstance(node, dict):
        yield node
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from nodes_of(inner)


def is_problem(node: dict[str, Any]) -> bool:
    """An answer whose codes and titles the page shows instead of its description."""
    return "application/problem+json" in node.get("content", ())


async def test_it_is_html_for_everybody(service: Service, answer: httpx.Response) -> None:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")
    assert (await service.client.get("/docs/")).text == answer.text


def test_it_runs_no_script_and_loads_nothing(page: Read) -> None:
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"style", "src"}]
    assert "url(" not in page.style
    assert "@import" not in page.style
    assert {link for link in page.all_of("href") if not link.startswith("#")} == {"/docs/openapi.json"}


def test_its_policy_allows_its_own_style_and_nothing_else(answer: httpx.Response, page: Read) -> None:
    digest = b64encode(sha256(page.style.encode()).digest()).decode()

    assert answer.headers["content-security-policy"].split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]


def test_it_suits_a_phone_and_the_dark(page: Read) -> None:
    assert "width=device-width,initial-scale=1" in page.all_of("content")
    assert "prefers-color-scheme:dark" in page.style


def test_every_link_leads_to_one_place(page: Read) -> None:
    anchors = page.all_of("id")

    assert len(anchors) == len(set(anchors))
    assert {link[1:] for link in page.all_of("href") if link.startswith("#")} <= set(anchors)


def test_it_shows_all_that_the_document_says(page: Read, document: Any) -> None:
    shown = plain(page.text)
    nodes = list(nodes_of(document))
    parts = document["components"]
    schemas = parts["schemas"].values()
    names = {
        document["info"]["version"],
        *document["paths"],
        *(name for kind in parts.values() for name in kind),
        *(parameter["name"] for node in nodes for parameter in node.get("parameters", ())),
        *(status for node in nodes for status in node.get("responses", ())),
        *(field for schema in schemas for field in schema.get("properties", ())),
        *(value for schema in schemas for value in schema.get("enum", ())),
        *(text for schema in schemas for text in schema.get("x-enumDescriptions", {}).values()),
        *(node[said] for node in nodes for said in ("summary", "detail") if isinstance(node.get(said), str)),
        *(node["description"] for node in nodes if "description" in node and not is_problem(node)),
    }

    assert len(names) > 200
    assert [name for name in names if plain(name) not in shown] == []
    assert {node["operationId"] for node in nodes if "operationId" in node} <= set(page.all_of("id"))


async def test_its_examples_call_this_service(service: Service, page: Read) -> None:
    curl = 'curl https://pay.example/api/payments/gopayqris/create \\\n  -H "Authorization: Bearer $TOKEN"'

    assert curl in page.text
    assert "curl https://pay.example/api/payments/INV-2026-0042/status" in page.text
    (sent,) = re.findall(r"create \\\n.*?-d '(.*?)'", page.text, re.DOTALL)
    service.charges_are_taken()
    assert (await service.create(json.loads(sent))).status_code == 201


async def test_its_example_of_a_refund_refunds(service: Service, page: Read) -> None:
    await service.given(status=Status.SETTLEMENT)
    service.gateway.answers_refunds_with(RefundTaken(transaction_id="t-1"))
    example = page.text.partition("curl https://pay.example/api/payments/INV-2026-0042/refunds \\\n")[2]
    (key,) = re.findall(r"-H 'Idempotency-Key: (.*?)'", example)[:1]
    (sent,) = re.findall(r"-d '(.*?)'", example, re.DOTALL)[:1]

    assert (await service.refund(fields=json.loads(sent), key=key)).status_code == 201


def test_its_example_of_a_call_without_a_body_names_the_method(page: Read) -> None:
    assert "curl -X POST https://pay.example/api/payments/INV-2026-0042/cancel \\\n" in page.text


def test_a_public_call_shows_no_token(document: Any) -> None:
    document["paths"] = {"/health/live": document["paths"]["/health/live"]}

    page = Read(Page(document, origin="http://localhost").html(json_url="/"))

    assert "curl http://localhost/health/live" in page.text
    assert "Authorization: Bearer $TOKEN" not in page.text
    assert "Public" in page.text


def test_whatever_the_document_says_is_text(document: Any) -> None:
    for node in nodes_of(document):
        for key, value in node.items():
            if isinstance(value, str) and key != "$ref":
                node[key] = value + EVIL
    paths = {path + EVIL: calls for path, calls in document["paths"].items()}

    html = Page(document | {"paths": paths}, origin="http://localhost/" + EVIL).html(json_url=EVIL)

    page = Read(html)
    assert "i" not in page.tags
    assert "onclick" not in {name for name, _ in page.attributes}
    assert "<i onclick" in page.text


def test_an_address_is_one_word_of_the_example(document: Any) -> None:
    page = Read(Page(document, origin="http://$(reboot);'x").html(json_url="/"))

    assert "curl 'http://$(reboot);'\"'\"'x/health/live'" in page.text
