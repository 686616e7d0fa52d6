"""Write config.md beside this file: every key of a run file with its default, its values and what it means.

All of it comes from the schema and the catalogue of generators (`make docs`), and a test compares.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from syngeno.models.catalogue import KINDS, Kind

SCHEMA = Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml"

INTRODUCTION = """\
# Every key of a run file

This page is made by `make docs` from `workflow/schemas/config.schema.yaml` and the catalogue of generators: change
those, not this page. [Your data](../your-data.md), [generators](../generators/index.md)
and [guides](../guides/recipes.md) explain how the keys work together.

A key of a section is written with a dot: `filter.maf` stands for `filter: {maf: ..}`. A "required" key must be given. A
key with the default "none" may be left out, and what it asks for is left out with it.
"""
HEADER = ["", "| key | default | values | meaning |", "|---|---|---|---|"]


def config_page(schema: Mapping, kinds: Mapping[str, Kind]) -> str:
    """The page for a schema of run files, as YAML is loaded, and the catalogue of kinds."""
    parts = schema["properties"]
    sections = {name: part for name, part in parts.items() if part["type"] == "object"}
    whole = {name: part for name, part in parts.items() if name not in sections}
    lines = [INTRODUCTION.rstrip(), "", "## The whole run", *_table({"properties": whole}, schema)]
    for name, part in sections.items():
        lines += ["", f"## {name}", ""]
        if not part.get("additionalProperties"):
            lines += [part["description"], *_table(part, schema)]
            continue
        default = "required" if name in schema.get("required", []) else f"default {_default(part)}"
        member = _resolved(part["additionalProperties"], schema)
        lines += [f"{part['description']} The keys are those of one name ({default}).", *_table(member, schema)]
        by_kind = {one["if"]["properties"]["kind"]["const"]: one["then"] for one in member.get("allOf", [])}
        for kind in kinds if by_kind else ():
            lines += ["", f"### {kind}", "", kinds[kind].sentence, *_table(by_kind[kind], schema, but="kind")]
    return "\n".join(lines) + "\n"


def _table(part: Mapping, schema: Mapping, but: str = "") -> list[str]:
    """The keys of a section as a table, but for one; those of a section within it come after that."""
    rows = [
        f"| `{key}`{note} | {_default(value, required)} | {_values(value)} | {_cell(value['description'])} |"
        for key, note, value, required in _keys(part, schema)
        if key != but
    ]
    return [*HEADER, *rows]


def _keys(part: Mapping, schema: Mapping, prefix: str = "", note: str = "") -> Iterator[tuple[str, str, Mapping, bool]]:
    """Key with dots, a note on when it is there, its schema, and whether it must be given; outer keys first."""
    for key, found in part.get("properties", {}).items():
        value = _resolved(found, schema)
        yield prefix + key, note, value, key in part.get("required", [])
        yield from _keys(value, schema, f"{prefix}{key}.")
    if "if" in part and "properties" in part.get("then", {}):
        (telling,) = part["if"]["required"]
        yield from _keys(part["then"], schema, prefix, f" (with `{telling}`)")
        yield from _keys(part["else"], schema, prefix, f" (without `{telling}`)")


def _resolved(part: Mapping, schema: Mapping) -> Mapping:
    """What a reference points to; anything else as it is."""
    return schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part


def _default(part: Mapping, required: bool = False) -> str:
    if "default" in part:
        return "" if part["default"] == {} else _plain(part["default"])
    return "required" if required else "none"


def _values(part: Mapping) -> str:
    """What may be written for a key, in words."""
    if "enum" in part:
        return ", ".join(_plain(value) for value in part["enum"])
    if "const" in part:
        return _plain(part["const"])
    for several in ("oneOf", "anyOf"):
        if several in part:
            return " or ".join(_values(one) for one in part[several])
    types = part["type"] if isinstance(part["type"], list) else [part["type"]]
    return " or ".join(_type(name, part) for name in types)


def _type(name: str, part: Mapping) -> str:
    """One type that a key may have, with what limits it."""
    if name == "array":
        items = part["items"]
        return f"list of any of {_values(items)}" if "enum" in items else f"list of {_values(items)}"
    if name == "object":
        members = part.get("additionalProperties")
        return f"by name, {_values(members)}" if isinstance(members, Mapping) else "section"
    if name in ("integer", "number"):
        return f"{name}{_limits(part)}"
    return {"string": "text", "boolean": "true or false", "null": "`null`"}[name]


def _limits(part: Mapping) -> str:
    """From where to where a number may be."""
    words = {
        "minimum": " from {}",
        "exclusiveMinimum": " above {}",
        "maximum": " up to {}",
        "exclusiveMaximum": " and below {}",
        "multipleOf": ", a multiple of {}",
    }
    return "".join(word.format(_number(part[key])) for key, word in words.items() if key in part)


def _plain(value: object) -> str:
    """A value as it stands in a run file, as code."""
    return f"`{_yaml(value)}`"


def _yaml(value: object) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _number(value) if isinstance(value, int | float) else str(value)


def _number(value: float) -> str:
    return f"{value:g}".replace("e-0", "e-") if isinstance(value, float) else str(value)


def _cell(text: str) -> str:
    """Text that neither ends a cell nor a row of a table."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    Path(__file__).with_name("config.md").write_text(config_page(yaml.safe_load(SCHEMA.read_text()), KINDS))
