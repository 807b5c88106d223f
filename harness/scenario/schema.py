"""The JSON Schema of scenario files, so that an editor completes them, and the table of what actors can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter

from harness.scenario.model import Expect, Scenario, Step
from harness.scenario.verbs import VERBS, Verb

REFERENCE: Final = {"type": "string", "pattern": r"\$\{"}
"""A reference stands for a value of any kind."""
LIMIT: Final = r"^(<=|<|>=|>) *[0-9.]+ *[A-Za-z%]*$"


def json_schema() -> dict[str, Any]:
    """Return the schema: the model's, with variables and includes, and in a step every role's verbs."""
    schema = Scenario.model_json_schema(by_alias=True, mode="validation")
    definitions: dict[str, Any] = schema["$defs"]
    schema["title"] = "Scenario"
    schema["properties"]["variables"] = {"type": "object", "description": "Names for values, used as ${name}."}
    schema["properties"]["include"] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "Files whose variables and actors this one has too.",
    }
    definitions["Limit"] = {"type": "string", "pattern": LIMIT, "description": "What a measure is held against."}
    definitions["Due"] = {"anyOf": [definitions["Due"], {"$ref": "#/$defs/Limit"}]}
    # A file may have all its actors from those that it includes.
    schema["required"] = [name for name in schema["required"] if name != "actors"]
    step = definitions[Step.__name__]
    del step["properties"]["acts"]
    for part, times in ((step, ("at", "after", "within")), (definitions[Expect.__name__], ("within", "not_before"))):
        for name in times:
            part["properties"][name] = {"anyOf": [part["properties"][name], REFERENCE]}
    step["properties"]["expect"] = {
        "anyOf": [{"$ref": "#/$defs/Expect"}, {"type": "array", "items": {"$ref": "#/$defs/Expect"}}]
    }
    step["properties"]["include"] = {"type": "string", "description": "A file whose timeline stands here."}
    step["properties"]["with"] = {"type": "object", "description": "Values for the included file's variables."}
    step["additionalProperties"] = {
        "anyOf": [{"type": "string"}, *({"$ref": f"#/$defs/acts_of_{role}"} for role in VERBS)]
    }
    for role, verbs in VERBS.items():
        definitions[f"acts_of_{role}"] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {verb.name: _taken(verb, definitions) for verb in verbs.values()},
        }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _taken(verb: Verb, definitions: dict[str, Any]) -> dict[str, Any]:
    told = TypeAdapter(verb.arguments).json_schema(by_alias=True, ref_template="#/$defs/{model}")
    for name, definition in told.pop("$defs", {}).items():
        definitions.setdefault(name, definition)
    for name, value in told.get("properties", {}).items():
        told["properties"][name] = {"anyOf": [value, REFERENCE]}
    ways: list[Any] = [told]
    if verb.short is not None:
        ways.append(told["properties"][verb.short])
    if not told.get("required"):
        ways.append({"type": "null"})
    return {"description": verb.does, "anyOf": ways}


def verb_lines() -> Iterator[tuple[str, str, str, str]]:
    """Yield role, verb, what goes with it and what it does, in the table's order."""
    for role, verbs in VERBS.items():
        for verb in verbs.values():
            fields = verb.arguments.model_fields
            told = ", ".join(f"{name}{'' if field.is_required() else '?'}" for name, field in fields.items())
            yield role, verb.name, told, verb.does


def verb_table() -> str:
    """Return the verbs as Markdown: docs/scenarios.md ends with it."""
    rows = [f"| {role} | `{name}` | {told or '-'} | {does} |" for role, name, told, does in verb_lines()]
    return "\n".join(["| role | verb | with | does |", "|---|---|---|---|", *rows]) + "\n"
