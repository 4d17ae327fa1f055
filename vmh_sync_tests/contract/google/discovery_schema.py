"""Checks exchanges with the Calendar API against the discovery document that the client package ships."""

import json
import re
from collections.abc import Mapping
from typing import Any

from googleapiclient import discovery_cache
from jsonschema import Draft202012Validator, FormatChecker

Json = dict[str, Any]
ERROR = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "errors"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "integer"},
                "message": {"type": "string"},
                "errors": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["domain", "reason", "message"],
                        "additionalProperties": False,
                        "properties": {
                            name: {"type": "string"}
                            for name in ("domain", "reason", "message", "locationType", "location")
                        },
                    },
                },
            },
        }
    },
}


class DiscoverySchema:
    """The packaged discovery document as JSON Schema; unknown fields and parameters are errors."""

    def __init__(self) -> None:
        self.document: Json = json.loads(discovery_cache.get_static_doc("calendar", "v3"))
        self._definitions = {name: converted(schema) for name, schema in self.document["schemas"].items()}
        self._methods = [
            (re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", method["path"]) + "$"), method)
            for resource in self.document["resources"].values()
            for method in resource["methods"].values()
        ]

    def method(self, verb: str, path: str) -> Json | None:
        """Return the API method of a request, None when there is none."""
        for pattern, method in self._methods:
            if method["httpMethod"] == verb and pattern.match(path):
                return method
        return None

    def request_problems(self, verb: str, path: str, query: Mapping[str, list[str]], body: bytes) -> list[str]:
        """Return what is wrong with a request; empty when nothing is."""
        method = self.method(verb, path)
        if method is None:
            return [f"{verb} {path} is no method of the API"]
        known = {**self.document["parameters"], **method.get("parameters", {})}
        problems = [f"{method['id']}: unknown parameter {name}" for name in query if name not in known]
        for name, values in query.items():
            if name in known and known[name].get("location") == "query":
                problems += [f"{method['id']}: {name}: {text}" for text in parameter_problems(known[name], values)]
        if "request" not in method:
            return problems + ([f"{method['id']}: unexpected body"] if body else [])
        value = json.loads(body)
        problems += self._problems(method["request"]["$ref"], value)
        return problems + missing(self.document["schemas"][method["request"]["$ref"]], method["id"], value)

    def response_problems(self, verb: str, path: str, status: int, body: Any) -> list[str]:
        """Return what is wrong with an answer; empty when nothing is."""
        if status >= 400:
            return [error.message for error in Draft202012Validator(ERROR).iter_errors(body)]
        method = self.method(verb, path)
        if method is None:
            return [f"{verb} {path} is no method of the API"]
        if "response" not in method:
            return [] if body is None else [f"{method['id']}: unexpected answer body"]
        return [] if status == 304 else self._problems(method["response"]["$ref"], body)

    def _problems(self, name: str, value: Any) -> list[str]:
        schema = {"$ref": f"#/$defs/{name}", "$defs": self._definitions}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        return [f"{name}.{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def converted(schema: Json) -> Json:
    """Turn a discovery schema into JSON Schema. A null is allowed for every property: in a patch it deletes."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    kept: Json = {key: schema[key] for key in ("type", "enum", "pattern") if key in schema}
    if kept.get("type") == "any":
        del kept["type"]
    if schema.get("format") in {"date", "date-time"}:
        kept["format"] = schema["format"]
    if "items" in schema:
        kept["items"] = converted(schema["items"])
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        kept["properties"] = {name: {"anyOf": [converted(one), {"type": "null"}]} for name, one in properties.items()}
        extra = schema.get("additionalProperties")
        kept["additionalProperties"] = {"anyOf": [converted(extra), {"type": "null"}]} if extra else False
    return kept


def parameter_problems(parameter: Json, values: list[str]) -> list[str]:
    """Return what is wrong with the values of one query parameter."""
    problems = [] if parameter.get("repeated") or len(values) == 1 else ["given more than once"]
    for value in values:
        kind = parameter["type"]
        if kind == "boolean" and value not in {"true", "false"}:
            problems.append("not a boolean")
        if kind == "integer" and not (value.isdigit() and int(value) >= int(parameter.get("minimum", 0))):
            problems.append("not an integer in range")
        if "enum" in parameter and value not in parameter["enum"]:
            problems.append("not one of the allowed values")
    return problems


def missing(schema: Json, method_id: str, value: Mapping[str, Any]) -> list[str]:
    """Return the properties that the document requires for this method and that are not there."""
    required = [
        name
        for name, one in schema["properties"].items()
        if method_id in one.get("annotations", {}).get("required", ())
    ]
    return [f"{method_id}: {name} is missing" for name in required if value.get(name) in (None, "")]
