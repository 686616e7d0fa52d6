"""README and docs are held to the tree: links lead somewhere, rules exist, what is shown as a run file is one, tables
are the kept ones, measured numbers in the text stand in a kept table, and every metric has its line.
"""

import importlib
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import judged
import pytest
import yaml

from syngeno.evaluate import metrics
from syngeno.models.catalogue import KINDS
from syngeno.workflow import runfile

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT / "docs/results"), str(ROOT / "docs")]
render, hooks = importlib.import_module("render"), importlib.import_module("hooks")

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md")]
    if not path.relative_to(ROOT).parts[0].startswith((".", "results", "site", "data"))
)
RULES = {
    name
    for path in ROOT.glob("workflow/rules/*.smk")
    for name in re.findall(r"^(?:rule|checkpoint) (\w+):", path.read_text(), re.MULTILINE)
}

# A measured number has a decimal point or a unit. What is written as code (settings, thresholds, formulas) was not
# measured, nor was what stands in a link's address.
UNIT = r"(?:s|min|minutes|h|hours|[kMG]B|bytes|%|nats|points|times)\b|%"
NUMBER = re.compile(rf"(?<![\w.])-?(?:\d*\.\d+|\d[\d,]*(?= ?(?:{UNIT})))(?![\w.]*\.\d)")
NAMED = re.compile(r"<!-- (?:table|numbers): (.+?) -->")
UNMEASURED = (
    (r"\b(?:1|5|95|100) %", "false positives, canaries and withheld samples, intervals, and all of them"),
    (r"(?:Python|version|VCF|BGEN|[Ss]nakemake|plugin|PLINK) \d[\w.]*", "versions of software"),
    (r"(?:Genet|Genetics|AJHG|Neurocomputing|Soc B|bioRxiv) [\d:.,]+", "volumes of journals"),
)
METRICS = (ROOT / "docs/reference/metrics.md").read_text()
GOOD = dict(re.findall(r"^\| `(\w+)` \| ([a-z ]+?) \|", METRICS, re.MULTILINE))  # which way, by metric


def text_of(page):
    """The page without code, tables that are kept, pictures and addresses of links, and without comments."""
    text = render.TABLE.sub(lambda found: found[1], page)
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)|https?://\S+", "]", text)


def sections(page):
    """The parts of a page between its headings, of whatever level."""
    return re.split(r"^#+ .*$", page, flags=re.MULTILINE)


def numbers(text):
    """The measured numbers of a text, without their signs; .5, 0.50 and 0.5 are one."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    for allowed, _ in UNMEASURED:
        text = re.sub(allowed, "", text)
    return {abs(float(number.replace(",", ""))) for number in NUMBER.findall(text)}


def named(text):
    """(table, column) of each that a text shows or names: "one; other[column]"; no column where it is the whole."""
    each = (one.strip() for names in NAMED.findall(text) for one in names.split(";"))
    return [re.fullmatch(r"([\w-]+)(?:\[(.+)\])?", one).groups() for one in each]


def kept_numbers(name, column):
    """All numbers of a kept table, or of one of its columns."""
    head, *rows = render.kept(name)
    cells = [row[head.index(column)] for row in rows] if column else [cell for row in (head, *rows) for cell in row]
    found = re.findall(r"\d[\d,]*\.?\d*|\.\d+", " ".join(cells))
    return {float(number.replace(",", "")) for number in found}


def unkept(page):
    """The measured numbers of a page's text that no kept table of their section has."""
    for section in sections(text_of(page)):
        known = {number for table in named(section) for number in kept_numbers(*table)}
        yield from sorted(numbers(section) - known)


def anchors(page):
    """Of each heading, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    """(file, anchor) of each link that stays in the project, either of them empty."""
    text = re.sub(r"```.*?```|<!--.*?-->", "", page.read_text(), flags=re.DOTALL)
    found = re.findall(r"\]\(\s*([^)#\s]*)(?:#([^)\s]+))?\s*\)", text)
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
        parts = set(yaml.safe_load(SCHEMA.read_text())["properties"])
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL):
            if not block.startswith("# workflow/"):
                config = yaml.safe_load(block)
                assert set(config) <= parts
                runfile.check({"cohorts": {"mine": {"simulate": {}, "label": "population"}}} | config, SCHEMA)

    def test_rules_and_targets_that_are_named_exist(self, page):
        text = page.read_text().replace("\\\n", " ")
        found = set(re.findall(r"snakemake ([a-z]+)(?![\w/.])", text))
        for threads in re.findall(r"--set-threads ((?:\w+=\d+ ?)+)", text):
            found |= {one.partition("=")[0] for one in threads.split()}
        assert found <= RULES

    def test_measured_numbers_are_kept(self, page):
        if page in render.pages() and "developers" not in page.parts and page.name != "config.md":
            assert list(unkept(page.read_text())) == [], "see docs/results/data/README.md"


class TestTables:
    def test_those_of_the_pages_are_the_kept_ones(self):
        assert list(render.out_of_date()) == [], "run `make docs`"

    def test_every_kept_table_says_where_it_is_from_and_is_used(self):
        used = {name for page in render.pages() for name, _ in named(re.sub(r"`.*?`", "", page.read_text()))}
        for path in render.DATA.glob("*.tsv"):
            assert path.read_text().startswith("# version: "), path.name
            assert path.stem in used, path.name

    def test_a_cell_of_another_table(self):
        assert render.resolved("loss {genomewide|privacy loss|factors}") == "loss .22"
        with pytest.raises(ValueError, match="has no cell 'privacy gain'"):
            render.resolved("{genomewide|privacy gain|factors}")

    def test_a_metrics_table_is_shown_by_generator_beside_the_envelope(self, tmp_path, monkeypatch):
        monkeypatch.setattr(render, "DATA", tmp_path)
        path = tmp_path / "metrics.tsv"
        render.metrics.write(judged.judged(("diffusion", "copycat")), path)
        render.keep(path, "mine", "two cores; snakemake")
        head, *rows = render.kept("mine")
        assert head == ["", "real", "diffusion", "diffusion, released", "copycat"]
        loss = next(row for row in rows if row[0] == "Privacy loss")
        assert re.fullmatch(r"\.1\d+ \[-?\.\d+, \.\d+\]", loss[2])
        assert (tmp_path / "mine.tsv").read_text().startswith("# version: ")


class TestNumbers:
    def test_a_changed_number_is_found(self):
        page = "# A\n<!-- numbers: genomewide[factors] -->\nAn AUC of .87 and 1,092 samples, `0.95`, 5 % canaries.\n"
        assert list(unkept(page)) == []
        assert list(unkept(page.replace(".87", ".86"))) == [0.86]
        assert list(unkept(page.replace("\nAn", "\n## B\nAn"))) == [0.87]

    def test_numbers_of_the_readme_are_looked_up(self):
        readme = (ROOT / "README.md").read_text()
        found = [number for section in sections(text_of(readme)) for number in numbers(section)]
        assert len(found) > 5
        assert list(unkept(readme.replace("an AUC of .67, where", "an AUC of .33, where"))) == [0.33]


class TestMetrics:
    def test_every_metric_has_its_line(self):
        tables = judged.judged(), judged.literature()
        found = {name for table in tables for name in table["metric"]}
        for path in ROOT.glob("workflow/scripts/**/*.py"):
            found |= set(re.findall(r"\b(?:row|share_row|mean_row|_linear)\(\s*\"(\w+)\"", path.read_text()))
        assert len(found) > 50
        assert found <= set(GOOD)

    def test_the_good_side_is_that_of_the_verdicts(self):
        for names, way in ((metrics.HIGH_IS_GOOD, "high"), (metrics.LOW_IS_GOOD, "low")):
            assert {name: GOOD[name] for name in names} == dict.fromkeys(names, way)

    def test_every_metric_has_one_range(self):
        assert sorted(name for names in metrics.RANGES.values() for name in names) == sorted(GOOD)


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("[run file](../../config/paper.yaml)", "run file `config/paper.yaml`"),
        ("[`paper.yaml`](../../config/paper.yaml)", "`config/paper.yaml`"),
        ("[glossary](../glossary.md)", "[glossary](../glossary.md)"),
    ],
)
def test_the_site_names_files_that_are_not_part_of_it(link, shown):
    page = SimpleNamespace(file=SimpleNamespace(src_uri="results/paper.md"))
    assert hooks.on_page_markdown(f"See {link}.", page=page) == f"See {shown}."


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page(kind):
    assert (ROOT / f"docs/generators/{kind}.md").read_text().startswith(f"# {kind}\n\n## Idea\n")


def test_costs_are_those_of_rules():
    found = [name for row in render.kept("costs")[1:] for name in re.findall(r"`(\w+)`", row[0].split(" of ")[0])]
    assert len(found) > 10
    assert set(found) <= RULES


def test_the_profile_names_rules():
    settings = (ROOT / "workflow/profiles/slurm/profile.yaml").read_text().split("# set-resources:")[1]
    found = set(re.findall(r"\b[a-z]+_[a-z_]+\b", settings)) - {"slurm_partition"}
    assert found and found <= RULES
