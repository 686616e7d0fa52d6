"""The pages are held to the tree: links lead somewhere, rules exist, and what is shown as a run file is one."""

import re
from pathlib import Path

import pytest
import yaml

from syngeno.workflow import runfile

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md")]
    if not path.relative_to(ROOT).parts[0].startswith((".", "results"))
)
RULES = {
    name
    for path in ROOT.glob("workflow/rules/*.smk")
    for name in re.findall(r"^(?:rule|checkpoint) (\w+):", path.read_text(), re.MULTILINE)
}


def anchors(page):
    """Of each heading, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    """(file, anchor) of each link that stays in the project, either of them empty."""
    found = re.findall(r"\]\(\s*([^)#\s]*)(?:#([^)\s]+))?\s*\)", page.read_text())
    return [(file, anchor) for file, anchor in found if not file.startswith(("http:", "https:", "mailto:"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestPage:
    def test_links_lead_somewhere(self, page):
        for file, anchor in links(page):
            target = page.parent / file if file else page
            assert target.exists(), file
            if anchor:
                assert anchor in anchors(target), f"{file}#{anchor}"

    def test_what_is_shown_as_a_run_file_is_one(self, page):
        sections = set(yaml.safe_load(SCHEMA.read_text())["properties"])
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL):
            if not block.startswith("# workflow/"):
                config = yaml.safe_load(block)
                assert set(config) <= sections
                runfile.check({"cohorts": {"mine": {"simulate": {}, "label": "population"}}} | config, SCHEMA)

    def test_rules_and_targets_that_are_named_exist(self, page):
        text = page.read_text().replace("\\\n", " ")
        named = set(re.findall(r"snakemake ([a-z]+)(?![\w/.])", text))
        for threads in re.findall(r"--set-threads ((?:\w+=\d+ ?)+)", text):
            named |= {one.partition("=")[0] for one in threads.split()}
        assert named <= RULES


def test_costs_are_those_of_rules():
    table = re.findall(r"^\| (.+?) \|", (ROOT / "docs/costs.md").read_text().split("\n## ")[0], re.MULTILINE)
    named = [name for cell in table for name in re.findall(r"`(\w+)`", cell.split(" of ")[0])]
    assert len(named) > 10
    assert set(named) <= RULES


def test_the_profile_names_rules():
    settings = (ROOT / "workflow/profiles/slurm/profile.yaml").read_text().split("# set-resources:")[1]
    named = set(re.findall(r"\b[a-z]+_[a-z_]+\b", settings)) - {"slurm_partition"}
    assert named and named <= RULES
