"""The page ``/docs``: the OpenAPI description as plain HTML, without scripts and without files of other hosts."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

STYLE = b""":root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:54rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;border-top:1px solid #8886;padding-top:1rem}
code,pre{font:14px/1.45 ui-monospace,monospace}
pre{overflow:auto;padding:.8rem;border-radius:.4rem;background:#8882}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884}
.method{font-weight:700;margin-right:.5rem}
"""

_EXAMPLES = """curl -F images=@photo.jpg {base}/v1/faces
curl -F images=@a.jpg -F images=@b.jpg {base}/v1/faces
curl -H 'Content-Type: application/json' -d '{{"images": ["'$(base64 -w0 photo.jpg)'"]}}' {base}/v1/faces"""


def description_page(openapi: Mapping[str, Any], base: str) -> str:
    """HTML of an OpenAPI description.

    Args:
        openapi: the description.
        base: URL of the server, for the examples.
    """
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(_schema(name, schema) for name, schema in openapi["components"]["schemas"].items())
    info = openapi["info"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}: API</title>"
        '<link rel="stylesheet" href="docs/style.css"></head><body>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        '<p><a href="openapi.json">OpenAPI description</a> for programs. <a href="./">Web page</a> for trying it.</p>'
        f"<pre>{escape(_EXAMPLES.format(base=base))}</pre>{operations}<h2>Documents</h2>{schemas}</body></html>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    bodies = operation.get("requestBody", {}).get("content", {})
    body = "".join(f"<p>Body: <code>{escape(kind)}</code></p>{_shape(content)}" for kind, content in bodies.items())
    rows = "".join(
        f"<tr><td>{escape(status)}</td><td>{escape(response['description'])}</td><td>{_kinds(response)}</td></tr>"
        for status, response in operation["responses"].items()
    )
    return (
        f'<h2><span class="method">{escape(method.upper())}</span><code>{escape(path)}</code></h2>'
        f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>{body}"
        f"<table><tr><th>status</th><th>meaning</th><th>content</th></tr>{rows}</table>"
    )


def _kinds(response: Mapping[str, Any]) -> str:
    return ", ".join(
        f"<code>{escape(kind)}</code> {_type(content.get('schema', {}))}"
        for kind, content in response.get("content", {}).items()
    )


def _shape(content: Mapping[str, Any]) -> str:
    return f"<pre>{escape(json.dumps(content.get('schema', {}), indent=2))}</pre>"


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(key)}</code></td><td>{_type(value)}</td>"
        f"<td>{escape(value.get('description', ''))}</td></tr>"
        for key, value in schema.get("properties", {}).items()
    )
    return (
        f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{escape(schema.get("description", ""))}</p>'
        f"<table>{rows}</table>"
    )


def _type(schema: Mapping[str, Any]) -> str:
    return " or ".join(_types(schema))


def _types(schema: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        yield f'<a href="#{name}">{name}</a>'
    elif "anyOf" in schema:
        for choice in schema["anyOf"]:
            yield from _types(choice)
    elif schema.get("type") == "array":
        count = f" {schema['minItems']}" if schema.get("minItems") == schema.get("maxItems", 0) else ""
        yield f"list of{count} {_type(schema.get('items', {}))}"
    else:
        yield escape(str(schema.get("type", "")))
