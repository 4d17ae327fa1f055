"""The page ``/docs`` of the gateway."""

import re
from typing import Any

from vmh_sync.gateway.pages.endpoints_page import endpoints_page


def test_shows_parameters_and_answers_as_text() -> None:
    operation: dict[str, Any] = {
        "tags": ["sync"],
        "description": "Launch <one> sync.",
        "parameters": [
            {"name": "espo_id", "in": "path"},
            {"name": "dry_run", "in": "query", "description": "only show"},
            {"name": "x-api-key", "in": "header"},
        ],
        "requestBody": {},
        "responses": {"202": {"description": "Accepted"}, "401": {"description": "No valid key"}},
    }
    document = {"info": {"title": "vmh_sync", "version": "1"}, "paths": {"/sync/{espo_id}": {"post": operation}}}

    page = endpoints_page(document)

    cells = re.findall("<td>(.*?)</td>", page)
    assert cells == [
        "<b>POST</b> <code>/sync/{espo_id}</code>",
        "Launch &lt;one&gt; sync.",
        "espo_id (path)<br>dry_run (query): only show<br>API key<br>JSON body",
        "202 Accepted<br>401 No valid key",
    ]
    assert "<h2>sync</h2>" in page
