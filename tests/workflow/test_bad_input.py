"""What a user can get wrong: one clear line, before any work, nothing half-written."""

import gzip
import re
import shutil

import pysam
import pytest
import yaml
from runs import ROOT, TINY, Run

pytestmark = pytest.mark.workflow

ENCODER = "results/tiny/prepare/100/1/encoder.npz"
SAMPLES = [f"P{i:02d}" for i in range(20)]
HEADER = [
    "##fileformat=VCFv4.2",
    "##contig=<ID=1,length=10000>",
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="G">',
]


def lines(samples=SAMPLES, header=HEADER, positions=range(100, 2100, 100), call=None):
    """A VCF as lines; by default the alternative allele comes round the people, site by site."""
    call = call or (lambda site, person: "0|1" if (site + person) % 3 else "0|0")
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
    body = [
        ["1", str(position), ".", "A", "G", ".", "PASS", ".", "GT", *[call(i, j) for j in range(len(samples))]]
        for i, position in enumerate(positions)
    ]
    if not samples:
        body = [line[:8] for line in body]
    else:
        columns += ["FORMAT", *samples]
    return [*header, *("\t".join(line) for line in [columns, *body])]


def bgzip(path, content):
    with pysam.BGZFile(str(path), "wb") as file:
        file.write(("\n".join(content) + "\n").encode())


def labels(path, rows=None, header="sample\tpopulation"):
    rows = rows if rows is not None else [f"{sample}\t{'AB'[i % 2]}" for i, sample in enumerate(SAMPLES)]
    path.write_text("\n".join([header, *rows]) + "\n")


def truncated(folder):
    bgzip(folder / "x.vcf.gz", lines())
    (folder / "x.vcf.gz").write_bytes((folder / "x.vcf.gz").read_bytes()[:-40])


def plain_gzip(folder):
    (folder / "x.vcf.gz").write_bytes(gzip.compress("\n".join(lines()).encode()))


def not_a_vcf(folder):
    bgzip(folder / "x.vcf.gz", ["sample\tA\tB", "1\t2\t3"])


def no_gt(folder):
    bgzip(folder / "x.vcf.gz", [line.replace("ID=GT", "ID=DP").replace("\tGT\t", "\tDP\t") for line in lines()])


def no_samples(folder):
    bgzip(folder / "x.vcf.gz", lines(samples=[]))


def duplicate_samples(folder):
    bgzip(folder / "x.vcf.gz", lines(samples=[*SAMPLES[:-1], SAMPLES[0]]))


def unsorted(folder):
    bgzip(folder / "x.vcf.gz", lines(positions=[100, 300, 200, 400]))


def mixed_ploidy(folder):
    bgzip(folder / "x.vcf.gz", lines(call=lambda site, person: "1" if person < 3 else "0|1"))


def no_variant_left(folder):
    bgzip(folder / "x.vcf.gz", lines(call=lambda site, person: "0|0"))


def no_sample_column(folder):
    labels(folder / "samples.tsv", header="id\tpopulation")


def no_label_column(folder):
    labels(folder / "samples.tsv", header="sample\tgroup")


def other_ids(folder):
    labels(folder / "samples.tsv", [f"{sample}\tA" for sample in [*SAMPLES[2:], "Q1"]])


def small_class(folder):
    labels(folder / "samples.tsv", [f"{sample}\t{'B' if i < 3 else 'A'}" for i, sample in enumerate(SAMPLES)])


def other_genes(folder):
    (folder / "genes.bed").write_text("scaffold7\t0\t5000\tGENE1\n")


CASES = {
    truncated: r"x\.vcf\.gz: .*(truncated|breaks off|incomplete).*; ",
    plain_gzip: r"x\.vcf\.gz: .*gzip.*; .*bgzip",
    not_a_vcf: r"x\.vcf\.gz: .*VCF.*; ",
    no_gt: r"x\.vcf\.gz: .*GT.*; ",
    no_samples: r"x\.vcf\.gz: .*(sample|people|person).*; ",
    duplicate_samples: r"x\.vcf\.gz: .*P00.*; ",
    unsorted: r"x\.vcf\.gz: .*sorted.*; .*sort",
    mixed_ploidy: r"x\.vcf\.gz: 3 of 20 samples have no diploid call at 1:100 \(P00 has 1 allele\); .*fixploidy",
    no_variant_left: r"no variant is left of 20: `maf` took 20; ",
    no_sample_column: r"samples\.tsv: has no column `sample` \(it has id, population\); ",
    no_label_column: r"samples\.tsv: has no column `population` \(it has sample, group\); ",
    other_ids: r"samples\.tsv: 2 samples of .*\(P00, P01\) and 1 samples .*\(Q1\); .*intersect",
    small_class: r"split: class `B` has 3 samples, where 5 are needed; ",
    other_genes: r"genes\.bed: shares no contig .*scaffold7 against 1\); ",
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """All bad cohorts in one run that goes on after each failure."""
    folder = tmp_path_factory.mktemp("bad")
    cohorts = {}
    for case in CASES:
        data = folder / case.__name__
        data.mkdir()
        bgzip(data / "x.vcf.gz", lines())
        labels(data / "samples.tsv")
        case(data)
        cohorts[case.__name__] = {
            "genotypes": str(data / "x.vcf.gz"),
            "labels": str(data / "samples.tsv"),
            "label": "population",
            "genes": str(data / "genes.bed") if (data / "genes.bed").exists() else None,
        }
    run = Run(folder, {**TINY, "cohorts": cohorts})
    said = run("prepare", "--keep-going", "--profile", str(ROOT / "workflow/profiles/local"), fails=True)
    return folder / "results", said


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
class TestRefused:
    def test_in_one_line(self, refused, case):
        results, said = refused
        told = [
            line
            for log in (results / "logs" / case.__name__).rglob("*.log")
            for line in log.read_text().splitlines()
            if "Bad input" in line
        ]
        assert len(told) == 1, told
        last = said.splitlines()[-len(CASES) :]
        assert said.count(told[0].split(" ", 1)[1]) == 1
        assert told[0].split(" ", 1)[1] in last
        assert re.search(CASES[case], told[0]), told[0]

    def test_with_nothing_half_written(self, refused, case):
        results, _ = refused
        cohort = results / case.__name__
        assert not list(cohort.rglob("genotypes.zarr.zip"))
        assert not list(cohort.rglob("*.part"))
        assert not [path for path in cohort.rglob(".*") if path.is_file() and path.name != ".snakemake_timestamp"]
        assert not list(cohort.rglob("fitted.model"))


class TestRunFile:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"fraktions": [100]}, "there is no key 'fraktions'; did you mean 'fractions'?"),
            ({"fractions": [300]}, "fractions.0: 300 is greater than the maximum of 100"),
            (
                {"cohorts": {"mine": {"genotypes": "no.vcf.gz", "labels": "no.tsv", "label": "x"}}},
                "where relative paths begin; correct cohorts.mine.genotypes",
            ),
        ],
    )
    def test_faults_are_told_before_any_job(self, tmp_path, change, told):
        run = Run(tmp_path, {**TINY, **change})
        said = run(fails=True)
        assert told in said
        assert "Traceback" not in said
        assert not (tmp_path / "results").exists()


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """Another cohort, with fewer people and other variants, prepared up to its encoder."""
    other = yaml.safe_load(yaml.safe_dump(TINY))
    other["cohorts"]["tiny"]["simulate"] |= {"samples": 120, "seed": 2}
    run = Run(tmp_path_factory.mktemp("foreign"), other)
    run(ENCODER)
    return run


class TestForeignFiles:
    def test_a_store_of_other_people(self, copy, foreign):
        path = "results/tiny/prepare/genotypes.zarr.zip"
        (copy.folder / path).write_bytes((foreign.folder / path).read_bytes())
        said = copy(ENCODER, "--forcerun", "fit_encoder", fails=True)
        assert f"Bad input: {path}: holds other samples than the split: it lacks" in said

    def test_an_encoder_of_another_cohort(self, copy, foreign):
        (copy.folder / ENCODER).write_bytes((foreign.folder / ENCODER).read_bytes())
        said = copy("results/tiny/prepare/100/1/latents.npz", "--forcerun", "encode", fails=True)
        assert f"Bad input: {ENCODER}" in said

    def test_a_model_of_other_people(self, copy):
        other = yaml.safe_load(yaml.safe_dump(TINY))
        other["cohorts"]["tiny"]["split"]["seed"] = 2  # the same variants, the same shapes
        foreign = Run(shutil.copytree(copy.folder, copy.folder.parent / "foreign"), other)
        path = "results/tiny/latent/100/1/fitted.model"
        foreign(path)
        (copy.folder / path).write_bytes((foreign.folder / path).read_bytes())
        said = copy("results/tiny/latent/100/1/synthetic.vcf.gz", "--forcerun", "draw", fails=True)
        assert f"Bad input: {path}: was trained on other data; delete it" in said

    def test_a_model_that_is_none(self, copy):
        (copy.folder / "results/tiny/latent/100/1/fitted.model").write_bytes(b"none of ours")
        said = copy("results/tiny/latent/100/1/synthetic.vcf.gz", "--forcerun", "draw", fails=True)
        assert "Bad input: results/tiny/latent/100/1/fitted.model: holds no 'syngeno" in said
