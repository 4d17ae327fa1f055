"""The page ``/docs``: every endpoint with its parameters and answers, written from the OpenAPI document.

FastAPI's own pages load their scripts from a public server: without the internet they stay blank, and with it the
firm's browsers run what a stranger serves. This one is plain HTML and needs nothing from elsewhere.
"""

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

Json = dict[str, Any]

NOTHING_FROM_ELSEWHERE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
_STYLE = (
    "body{font-family:sans-serif;margin:2em;max-width:75em}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top}"
    "td:first-child{white-space:nowrap}"
)
_KEY_HEADER = "x-api-key"


def docs_router(document: Callable[[], Json]) -> APIRouter:
    """Return the router of ``/docs``; ``document`` gives the OpenAPI document."""
    router = APIRouter()

    @router.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """Show all endpoints."""
        return HTMLResponse(endpoints_page(document()), headers=NOTHING_FROM_ELSEWHERE)

    return router


def endpoints_page(document: Json) -> str:
    """Return the page for an OpenAPI document."""
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    tables = "".join(_table(group, rows) for group, rows in _groups(document).items())
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}: endpoints</h1><p>The same for programs: "
        f'<a href="openapi.json">openapi.json</a>. A key goes into the header <code>X-API-Key</code>.</p>{tables}'
        "</body></html>"
    )


def _groups(document: Json) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for group in operation.get("tags", ["other"]):
                groups.setdefault(group, []).append(_row(method, path, operation))
    return groups


def _table(group: str, rows: list[str]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("Endpoint", "What it does", "Takes", "Answers"))
    return f"<h2>{escape(group)}</h2><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(method: str, path: str, operation: Json) -> str:
    says = escape(operation.get("description") or operation.get("summary", ""))
    answers = (f"{status} {answer.get('description', '')}" for status, answer in operation["responses"].items())
    return (
        f"<tr><td><b>{method.upper()}</b> <code>{escape(path)}</code></td><td>{says}</td>"
        f"<td>{_lines(_taken(operation))}</td><td>{_lines(answers)}</td></tr>"
    )


def _taken(operation: Json) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == _KEY_HEADER:
            yield "API key"
        else:
            told = parameter.get("description")
            yield f"{parameter['name']} ({parameter['in']})" + (f": {told}" if told else "")
    if "requestBody" in operation:
        yield "JSON body"


def _lines(texts: Iterator[str]) -> str:
    return "<br>".join(escape(text) for text in texts)
