"""The page of all keys is what the schema and the catalogue say, and says it of every key."""

from pathlib import Path

import pytest
import yaml
from generate import config_page

from syngeno.models.catalogue import KINDS, Kind

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
# Of JSON Schema, what ours is written with. (A comma in an unquoted description would make a keyword of its rest.)
KEYWORDS = {
    "type", "enum", "const", "items", "minItems", "uniqueItems", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "pattern", "properties", "required", "additionalProperties", "propertyNames",
    "minProperties", "oneOf", "anyOf", "allOf", "if", "then", "else", "not", "default", "description", "$ref",
    "$schema", "$defs", "title",
}  # fmt: skip


def page(properties, kinds=KINDS, **more):
    return config_page({"properties": properties, **more}, kinds)


def sub_schemas(part):
    """A schema and all schemas in it."""
    yield part
    for key in ("properties", "$defs"):
        for value in part.get(key, {}).values():
            yield from sub_schemas(value)
    for key in ("oneOf", "anyOf", "allOf"):
        for value in part.get(key, []):
            yield from sub_schemas(value)
    for key in ("items", "additionalProperties", "propertyNames", "if", "then", "else", "not"):
        if isinstance(part.get(key), dict):
            yield from sub_schemas(part[key])


def keys(part, path=""):
    """Every key that a run file may have, with dots, however the schema is nested."""
    part = SCHEMA["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    for key, value in part.get("properties", {}).items():
        yield f"{path}{key}"
        yield from keys(value, f"{path}{key}.")
    for branch in [part.get("then"), part.get("else"), *part.get("allOf", [])]:
        if branch:
            yield from keys(branch, path)


class TestCommittedPage:
    def test_is_what_the_schema_gives(self):
        committed = (ROOT / "docs/reference/config.md").read_text()
        assert committed == config_page(SCHEMA, KINDS), "run `make docs`"

    def test_has_every_key_in_the_section_that_it_belongs_to(self):
        sections = {text.partition("\n")[0]: text for text in config_page(SCHEMA, KINDS).split("\n## ")}
        whole = sections["The whole run"]
        for name, part in SCHEMA["properties"].items():
            if name not in sections:
                assert f"| `{name}` |" in whole
                continue
            inner = part.get("additionalProperties") or part
            found = list(keys(inner))
            assert found, name
            for key in found:
                assert f"| `{key}` " in sections[name], f"{name}: {key}"

    @pytest.mark.parametrize("kind", KINDS)
    def test_has_every_kind_with_what_the_catalogue_says(self, kind):
        assert f"\n### {kind}\n\n{KINDS[kind].sentence}\n" in config_page(SCHEMA, KINDS)


class TestSchema:
    def test_has_known_keywords_only(self):
        assert {key for part in sub_schemas(SCHEMA) for key in part} <= KEYWORDS

    def test_descriptions_are_sentences(self):
        texts = [part["description"] for part in sub_schemas(SCHEMA) if "description" in part]
        assert [text for text in texts if not text.endswith(".")] == []


class TestConfigPage:
    @pytest.mark.parametrize(
        ("part", "row"),
        [
            ({"type": "string", "default": "."}, "`.` | text"),
            ({"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1, "default": 1.0e-5},
             "`1e-5` | number above 0 up to 1 or `null`"),
            ({"type": "number", "minimum": 0, "exclusiveMaximum": 100}, "none | number from 0 and below 100"),
            ({"type": "integer", "minimum": 4, "multipleOf": 2}, "none | integer from 4, a multiple of 2"),
            ({"type": "boolean", "default": True}, "`true` | true or false"),
            ({"enum": ["a", "b"], "default": "b"}, "`b` | `a`, `b`"),
            ({"type": "array", "items": {"type": "integer", "minimum": 1}, "default": [1, 2]},
             "`[1, 2]` | list of integer from 1"),
            ({"type": "array", "items": {"enum": ["a", "b"]}, "default": []}, "`[]` | list of any of `a`, `b`"),
            ({"anyOf": [{"type": "integer"}, {"const": "train"}], "default": None}, "`null` | integer or `train`"),
        ],
    )  # fmt: skip
    def test_a_key_is_a_row(self, part, row):
        key = part | {"description": "Why."}
        told = page({"section": {"type": "object", "description": "A section.", "properties": {"key": key}}})
        header = "| key | default | values | meaning |\n|---|---|---|---|"
        assert told.endswith(f"\n## section\n\nA section.\n\n{header}\n| `key` | {row} | Why. |\n")

    def test_keys_of_a_section_within_a_section_have_dots(self):
        inner = {"type": "object", "default": {}, "description": "Inner.",
                 "properties": {"key": {"type": "string", "description": "A key."}}}  # fmt: skip
        outer = {"type": "object", "description": "Outer.", "required": ["inner"], "properties": {"inner": inner}}
        assert "| `inner` |  | section | Inner. |\n| `inner.key` | none | text | A key. |" in page({"outer": outer})

    def test_keys_that_depend_on_another_key_say_on_which(self):
        text = {"type": "string", "description": "A column."}
        number = {"type": "number", "description": "A share."}
        split = {"type": "object", "description": "A split.", "if": {"required": ["column"]},
                 "then": {"properties": {"column": text}},
                 "else": {"required": ["train"], "properties": {"train": number}}}  # fmt: skip
        told = page({"split": split})
        assert "| `column` (with `column`) | none | text | A column. |" in told
        assert "| `train` (without `column`) | required | number | A share. |" in told

    def test_a_kind_has_a_table_of_its_own_after_a_sentence(self):
        dial = {"type": "integer", "description": "A dial."}
        branch = {"if": {"properties": {"kind": {"const": "toy"}}}, "then": {"properties": {"kind": {}, "dial": dial}}}
        member = {"properties": {"kind": {"enum": ["toy"], "description": "What it is."}}, "required": ["kind"],
                  "allOf": [branch]}  # fmt: skip
        generators = {"type": "object", "description": "Generators.", "default": {"a": {"kind": "toy"}},
                      "additionalProperties": {"$ref": "#/$defs/one"}}  # fmt: skip
        told = page({"generators": generators}, {"toy": Kind(sentence="A toy.")}, **{"$defs": {"one": member}})
        assert "Generators. The keys are those of one name (default `{a: {kind: toy}}`)." in told
        assert "| `kind` | required | `toy` | What it is. |" in told
        assert "\n### toy\n\nA toy.\n\n| key | default | values | meaning |" in told
        assert "| `dial` | none | integer | A dial. |" in told
        assert told.count("`kind`") == 1

    def test_a_bar_in_a_description_ends_no_cell(self):
        section = {
            "type": "object",
            "description": ".",
            "properties": {"key": {"type": "string", "description": "a | b"}},
        }
        assert "| a \\| b |" in page({"section": section})
