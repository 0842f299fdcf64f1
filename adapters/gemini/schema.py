"""A JSON schema in the words of Google's older schema form, for servers that do not take JSON schemas."""

from __future__ import annotations

from collections.abc import Mapping

_KEPT = frozenset(
    ("description", "enum", "format", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum",
     "nullable", "pattern", "propertyOrdering", "required", "title")
)  # fmt: skip
_DEEPEST = 24


def cleaned(schema: Mapping[str, object]) -> dict[str, object]:
    """The schema without what the older form does not know; references are written out, a cycle becomes an object."""
    definitions: dict[str, object] = {}
    for name in ("$defs", "definitions"):
        found = schema.get(name)
        if isinstance(found, Mapping):
            definitions.update({f"#/{name}/{key}": value for key, value in found.items()})
    return _clean(schema, definitions, ())


def _clean(schema: object, definitions: Mapping[str, object], inside: tuple[str, ...]) -> dict[str, object]:
    """`inside`: the references that are being written out."""
    if not isinstance(schema, Mapping):
        return {"type": "OBJECT"}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference in inside or len(inside) > _DEEPEST:
            return {"type": "OBJECT"}
        more = {key: value for key, value in schema.items() if key == "description"}
        return {**_clean(definitions.get(reference), definitions, (*inside, reference)), **more}
    out = {key: value for key, value in schema.items() if key in _KEPT} | _type(schema)
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        out["properties"] = {name: _clean(value, definitions, inside) for name, value in properties.items()}
    if "items" in schema:
        out["items"] = _clean(schema["items"], definitions, inside)
    for name in ("anyOf", "oneOf"):
        choices = schema.get(name)
        if isinstance(choices, list):
            given = [one for one in choices if not (isinstance(one, Mapping) and one.get("type") == "null")]
            if len(given) < len(choices):
                out["nullable"] = True
            out["anyOf"] = [_clean(choice, definitions, inside) for choice in given]
    return out


def _type(schema: Mapping[object, object]) -> dict[str, object]:
    """The kind of a value: one word in capitals, `null` beside it as a flag, a constant as its only choice."""
    out: dict[str, object] = {}
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [name for name in kind if name != "null"]
        if len(kinds) < len(kind):
            out["nullable"] = True
        kind = kinds[0] if kinds else "string"
    if isinstance(kind, str):
        out["type"] = kind.upper()
    if "const" in schema:
        out["enum"] = [schema["const"]]
    return out
