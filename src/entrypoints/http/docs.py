"""The API's documentation page: plain HTML from the API document, no script, nothing from elsewhere."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from shlex import quote
from typing import Any, Final

from litestar.connection import Request
from litestar.datastructures import ResponseHeader
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.router import Router

Node = dict[str, Any]

_CSS: Final = """
:root{color-scheme:light dark;--ink:#1b2430;--dim:#5a6675;--line:#e2e7ed;--soft:#f5f7fa;--page:#fff;
--link:#0a60b8;--good:#0f7145;--bad:#b3331c}
@media(prefers-color-scheme:dark){:root{--ink:#dde5ee;--dim:#95a3b3;--line:#2a333e;--soft:#19212a;
--page:#10161d;--link:#7ab8ff;--good:#5fcf9b;--bad:#ff9580}}
*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}:target{scroll-margin-top:1rem}
body{margin:0;padding:1.5rem;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
h1{font-size:2rem;line-height:1.2;margin:0}h2{font-size:1.5rem;margin:3rem 0 0;text-transform:capitalize}
h3{font-size:1.2rem;margin:0 0 .5rem}h4{font-size:.95rem;margin:1.5rem 0 .25rem}
code,pre{font:.875rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{overflow-wrap:anywhere}p>code{background:var(--soft);border-radius:4px;padding:.1em .3em}
pre,.call{background:var(--soft);border:1px solid var(--line);border-radius:8px;padding:.6rem .9rem}
pre{overflow-x:auto}.call{margin:.5rem 0}
.call b{color:var(--link);margin-right:.5rem}.call .get{color:var(--good)}
small,summary{font-size:.875rem;font-weight:400}small{color:var(--dim)}td small{display:block}
summary{cursor:pointer;color:var(--link)}
nav{columns:2;margin:2rem 0;font-size:.925rem}nav div{break-inside:avoid;padding-bottom:1rem}
nav b{color:var(--dim);font-size:.8rem;letter-spacing:.04em;text-transform:uppercase}
nav ul{list-style:none;margin:.25rem 0 0;padding:0}nav li{padding:.15rem 0}
main{max-width:52rem}section{border-top:1px solid var(--line);margin-top:1.5rem;padding-top:1.5rem}
table{border-collapse:collapse;table-layout:fixed;width:100%;margin:.5rem 0}td p{margin:0}
td{border-top:1px solid var(--line);padding:.6rem 0;vertical-align:top}
.status,.name code{font-weight:700}.status{width:3.5rem}
.must{color:var(--ink)}.status{color:var(--bad)}.good{color:var(--good)}
@media(max-width:40rem){.name{display:block;padding-bottom:0}.name+td{display:block;border:0;padding-top:0}}
@media(min-width:40rem){.name{width:16rem;padding-right:1rem}}
@media(min-width:64rem){body{display:grid;grid-template-columns:18rem minmax(0,1fr);gap:4rem;padding:0}
aside{border-right:1px solid var(--line);height:100vh;overflow-y:auto;padding:2rem;position:sticky;top:0}
nav{columns:auto}main{padding:2rem 2rem 6rem 0}}
"""
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_CSS.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_REFERENCE: Final = {name: name.title() for name in ("authentication", "problems", "headers")}
_EVERYWHERE: Final = "X-Request-Id"


class DocsPage(OpenAPIRenderPlugin):
    """Everything that the API document says, for people."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def receive_router(self, router: Router) -> None:
        router.response_headers = [ResponseHeader(name="Content-Security-Policy", value=_POLICY)]

    def render(self, request: Request[Any, Any, Any], openapi_schema: Node) -> bytes:
        page = Page(openapi_schema, origin=str(request.base_url).rstrip("/"))
        return page.html(json_url=self.get_openapi_json_route(request)).encode()


class Page:
    """The page of a document; ``origin`` is where its examples call the service."""

    def __init__(self, document: Node, *, origin: str) -> None:
        self._document, self._parts, self._origin = document, document["components"], origin

    def html(self, *, json_url: str) -> str:
        info, parts = self._document["info"], self._parts
        tagged: dict[str, list[tuple[str, str, Node]]] = {tag["name"]: [] for tag in self._document["tags"]}
        for path, calls in self._document["paths"].items():
            for method, call in calls.items():
                tagged.setdefault(call.get("tags", ["other"])[0], []).append((path, method, call))
        contents = {
            **{tag: {call["operationId"]: call["summary"] for *_, call in of} for tag, of in tagged.items()},
            "reference": _REFERENCE,
            "schemas": {f"schema-{name}": name for name in parts["schemas"]},
        }
        return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{escape(info["title"])} API</title><style>{_CSS}</style></head><body>
<aside><h1>{escape(info["title"])} API</h1><small>{escape(info["version"])}</small>
<nav aria-label="Contents">{_each(_contents(title, links) for title, links in contents.items())}</nav></aside>
<main>{_prose(info["description"])}
<p>The examples take a token from <code>$TOKEN</code>; see {_link("authentication", "Authentication")}.
Every error is a {_link("schema-Problem", "Problem")}, as <code>application/problem+json</code>.
For programs: <a href="{escape(json_url)}">the same as OpenAPI {escape(self._document["openapi"])}</a>.</p>
{_each(f"<h2>{escape(tag)}</h2>{_each(self._call(*call) for call in of)}" for tag, of in tagged.items())}
<h2 id="authentication">Authentication</h2>
{_table(_row(name, "", how["description"]) for name, how in parts["securitySchemes"].items())}
<h2 id="problems">Problems</h2>
{_table(_problem(code, example["value"]) for code, example in parts["examples"].items())}
<h2 id="headers">Headers</h2>
{_table(_row(name, "", header["description"]) for name, header in parts["headers"].items())}
<h2>Schemas</h2>{_each(_schema(name, schema) for name, schema in parts["schemas"].items())}
</main></body></html>
"""

    def _call(self, path: str, method: str, call: Node) -> str:
        breakable = escape(path).replace("/", "/<wbr>")
        told = [
            f'<section id="{escape(call["operationId"])}"><h3>{escape(call["summary"])}</h3>',
            f'<p class="call"><b class="{method}">{method.upper()}</b><code>{breakable}</code></p>',
            f"<p>{_authentication(call.get('security', []))}</p>{_prose(call.get('description', ''))}",
        ]
        if parameters := call.get("parameters"):
            told += ["<h4>Parameters</h4>", _table(_parameter(parameter) for parameter in parameters)]
        if body := call.get("requestBody"):
            ((media, content),) = body["content"].items()
            must = "required" if body["required"] else "not required"
            told += [f"<h4>Body <small>{escape(media)}, {must}</small></h4>"]
            told += [_prose(body.get("description", "")), _fields(self._at(content["schema"]["$ref"]))]
        told += [f"<h4>Example</h4><pre>{escape(self._curl(path, method, call))}</pre>"]
        told += ["<h4>Answers</h4>", _table(self._answer(*of) for of in sorted(call["responses"].items()))]
        return _each([*told, "</section>"])

    def _answer(self, status: str, answer: Node) -> str:
        told = []
        for media, content in answer.get("content", {}).items():
            told += self._codes(content) or [self._success(answer, media, content["schema"])]
        told = told or [_prose(answer["description"])]
        headers = [name for name in answer.get("headers", ()) if name != _EVERYWHERE]
        if headers:
            told += [f"<small>with {', '.join(_link('headers', escape(name)) for name in headers)}</small>"]
        good = " good" if status < "400" else ""
        return f'<tr><td class="status{good}">{escape(status)}</td><td>{_each(told)}</td></tr>'

    def _codes(self, content: Node) -> list[str]:
        """The problems that an answer may be: each has its name as an example of the answer."""
        return [
            f"<p>{_link(f'problem-{code}', _code(code))} {escape(self._at(problem['$ref'])['summary'])}</p>"
            for code, problem in content.get("examples", {}).items()
        ]

    def _success(self, answer: Node, media: str, schema: Node) -> str:
        examples = (
            f"<details><summary>Example</summary><pre>{escape(json.dumps(sample, indent=2))}</pre></details>"
            for sample in self._samples(schema)
        )
        kind = f"<small>{_kind(schema)}, {escape(media)}</small>"
        return f"{_prose(answer['description'])}{kind}{_each(examples)}"

    def _curl(self, path: str, method: str, call: Node) -> str:
        headers = []
        for parameter in call.get("parameters", ()):
            for example in parameter.get("examples", {}).values():
                path = path.replace(f"{{{parameter['name']}}}", example["value"])
            if parameter["in"] == "header" and parameter["required"]:
                sent = f"{parameter['name']}: {parameter['example']}"
                headers += [f"-H {quote(sent)}"]
        # A body makes it a POST by itself.
        act = "" if method == "get" or "requestBody" in call else f"-X {method.upper()} "
        told = [f"curl {act}{quote(self._origin + path)}"]
        if call.get("security") and {} not in call["security"]:
            told += ['-H "Authorization: Bearer $TOKEN"']
        told += headers
        for content in call.get("requestBody", {}).get("content", {}).values():
            sent = json.dumps(self._samples(content["schema"])[0], indent=2)
            told += ["-H 'Content-Type: application/json'", f"-d {quote(sent)}"]
        return " \\\n  ".join(told)

    def _samples(self, schema: Node) -> list[Any]:
        """An example of a schema, put together from its fields' own; empty where there is none."""
        match schema:
            case {"examples": [example, *_]}:
                return [example]
            case {"$ref": ref}:
                return self._samples(self._at(ref))
            case {"items": items}:
                return [self._samples(items)]
            case {"properties": fields}:
                samples = ((name, self._samples(field)) for name, field in fields.items())
                return [{name: found[0] for name, found in samples if found}]
        return []

    def _at(self, ref: str) -> Node:
        kind, name = ref.split("/")[2:]
        found: Node = self._parts[kind][name]
        return found


def _schema(name: str, schema: Node) -> str:
    said = schema.get("x-enumDescriptions", {})
    values = _table(_row(value, "", said.get(value, "")) for value in schema.get("enum", ()))
    return (
        f'<section id="schema-{escape(name)}"><h3>{escape(name)}</h3>{_prose(schema["description"])}'
        f"{_fields(schema)}{values}</section>"
    )


def _fields(schema: Node) -> str:
    required = schema.get("required", ())
    return _table(
        _row(name, _about(field, must=name in required), field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    )


def _parameter(parameter: Node) -> str:
    about = f"{escape(parameter['in'])}, {_about(parameter['schema'], must=parameter['required'])}"
    return _row(parameter["name"], about, parameter.get("description", ""))


def _problem(code: str, problem: Node) -> str:
    return (
        f'<tr id="problem-{escape(code)}"><td class="status">{problem["status"]}</td><td>{_code(code)}'
        f"<p>{escape(problem['title'])}. {_text(problem['detail'])}</p></td></tr>"
    )


def _row(name: str, about: str, text: str) -> str:
    """``about`` is HTML, the rest is not."""
    about = f"<small>{about}</small>" if about else ""
    return f'<tr><td class="name">{_code(name)}{about}</td><td>{_prose(text)}</td></tr>'


def _about(schema: Node, *, must: bool) -> str:
    """The type of a field, within which bounds, and whether it has to be there."""
    inside = schema | next(iter(schema.get("anyOf", ())), {})
    told = [_kind(schema)]
    for least, most, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minProperties", "maxProperties", " keys"),
    ):
        if most in inside:
            start = f"{inside[least]:,.0f} to" if least in inside else "at most"
            told.append(f"{start} {inside[most]:,.0f}{unit}")
    if "default" in schema:
        told.append(f"default {escape(json.dumps(schema['default']))}")
    return ", ".join(told) + (', <span class="must">required</span>' if must else "")


def _kind(schema: Node) -> str:
    match schema:
        case {"$ref": ref}:
            name = ref.rpartition("/")[2]
            return _link(f"schema-{name}", escape(name))
        case {"anyOf": options}:
            return " or ".join(_kind(option) for option in options)
        case {"items": items}:
            return f"array of {_kind(items)}"
        case {"additionalProperties": {"type": values}}:
            return f"object of {escape(values)}s"
        case {"type": kind, "format": form}:
            return escape(f"{kind} ({form})")
    return escape(schema.get("type", "string"))


def _authentication(security: list[Node]) -> str:
    names = [_link("authentication", escape(name)) for option in security for name in option]
    if not names:
        return "<small>Public</small>"
    return f"<small>Token: {', '.join(names)}{', where one is set' if {} in security else ''}</small>"


def _contents(title: str, links: dict[str, str]) -> str:
    items = _each(f"<li>{_link(anchor, escape(text))}</li>" for anchor, text in links.items())
    return f"<div><b>{escape(title)}</b><ul>{items}</ul></div>"


def _table(rows: Iterable[str]) -> str:
    found = _each(rows)
    return f"<table>{found}</table>" if found else ""


def _prose(text: str) -> str:
    return _each(f"<p>{_text(part)}</p>" for part in text.split("\n\n") if part)


def _text(text: str) -> str:
    """Escaped, and what stands between backticks as code."""
    return re.sub(r"(`+)(.+?)\1", r"<code>\2</code>", escape(text))


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _link(anchor: str, inside: str) -> str:
    return f'<a href="#{escape(anchor)}">{inside}</a>'


def _each(parts: Iterable[str]) -> str:
    return "".join(parts)
