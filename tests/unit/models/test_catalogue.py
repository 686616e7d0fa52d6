"""The catalogue is what rules, scripts and the report ask: it agrees with the schema and the classes."""

import re
from pathlib import Path

import pytest
import yaml

from syngeno.models import base
from syngeno.models.catalogue import KINDS, RENAMED

WORKFLOW = Path(__file__).parents[3] / "workflow"


def test_the_schema_knows_the_same_kinds():
    generator = yaml.safe_load((WORKFLOW / "schemas/config.schema.yaml").read_text())["$defs"]["generator"]
    assert set(generator["properties"]["kind"]["enum"]) == set(KINDS)
    sections = {block["if"]["properties"]["kind"]["const"] for block in generator["allOf"]}
    assert sections == set(KINDS)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.model])
def test_a_class_has_what_its_flags_say(name):
    kind, model = KINDS[name], base.generator_class(KINDS[name].model)
    methods = {"fit", "save", "load", "sample"} | ({"log_prob"} if kind.likelihood else set())
    methods |= {"member_score"} if kind.whitebox and not kind.likelihood else set()
    assert all(callable(getattr(model, method, None)) for method in methods)


def test_every_kind_says_what_it_is():
    assert all(kind.sentence.endswith(".") for kind in KINDS.values())
    assert len({kind.marker for kind in KINDS.values()}) == len(KINDS)
    assert not set(RENAMED) & set(KINDS)


def test_no_rule_script_or_page_names_a_kind():
    named = re.compile(r"[\"'](" + "|".join(KINDS) + r")[\"']")
    scripts = [path for path in (WORKFLOW / "scripts").glob("*/*.py") if path.parent.name != "syngeno"]
    report = [*(WORKFLOW / "scripts/syngeno/report").rglob("*.*"), *(WORKFLOW / "report").rglob("*.rst")]
    for path in [*(WORKFLOW / "rules").glob("*.smk"), *scripts, *report]:
        if path.suffix in (".py", ".smk", ".j2", ".rst"):
            assert not (found := named.findall(path.read_text())), f"{path.name} names {found}"
