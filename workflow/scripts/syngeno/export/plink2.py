"""Synthetic samples in the formats that geneticists' tools read, by plink2: PLINK 1, PLINK 2 and BGEN.

Sex and labels go with them, sites, alleles and contigs stay those of the VCF.
"""

import csv
import logging
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from syngeno.data.records import index_beside
from syngeno.data.samples import TRAITS
from syngeno.errors import BadInput
from syngeno.workflow import tools

logger = logging.getLogger(__name__)

TABLE = "synthetic.samples.txt"

# As plink codes them; 0 is unknown.
SEXES = {"male": "1", "m": "1", "1": "1", "female": "2", "f": "2", "2": "2"}
# plink2 would take such a value for a number or for none at all.
NO_CLASS = re.compile(r"[-+.0-9].*|na|nan|none|inf|infinity", re.IGNORECASE)
NO_NAME = re.compile(r"[-,\s]+")  # of a column, where plink2 takes several
TAKEN = {"#FID", "FID", "#IID", "IID", "SID", "PAT", "MAT"}  # columns of plink2's own
NUMBERED = re.compile(r"chr(\d+|[XYM]|XY|MT)")
LEAST_MEMORY = 640  # MiB, below which plink2 refuses to work


@dataclass(frozen=True)
class Coded:
    """Samples with sex (1 male, 2 female, 0 unknown) and the other label columns, coded as plink2 takes them.

    Case/control is 2/1, any other value is the name of a class; `traits` are the columns that are case/control.
    """

    samples: list[str]
    sex: list[str]
    labels: dict[str, list[str]] = field(default_factory=dict)
    traits: list[str] = field(default_factory=list)


def read_coded(path: str | Path, known: Iterable[Sequence[str]] = ()) -> Coded:
    """Read the labels of a synthetic cohort (see `samples.write_labels`) and code them as plink2 does.

    `known` are the labels that there may be, a value for each column, so that codes do not depend on the samples drawn.
    A column named sex gives the sex. Blanks within a value become `_`, and classes whose names plink2 would take for
    numbers get a `C` in front. Raises BadInput for columns that plink2 has itself, and for names that become one.
    """
    with open(path, newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    samples = list(columns.pop("sample"))
    sex, labels, traits = ["0"] * len(samples), {}, []
    others = list(zip(*known, strict=True)) or [()] * len(columns)
    for (column, values), more in zip(columns.items(), others, strict=True):
        name, there_are = NO_NAME.sub("_", column), {*values, *more}
        if column.lower() == "sex":
            sex = [SEXES.get(value.lower(), "0") for value in values]
            continue
        if name.upper() in TAKEN or name in labels:
            raise BadInput(path, f"`{name}` is a column of plink2's own, or comes twice", "rename the label column")
        coding = next((codes for codes in TRAITS if {value.lower() for value in there_are} <= set(codes)), None)
        if coding is not None:
            traits.append(name)
            labels[name] = [coding[value.lower()] for value in values]
            continue
        labels[name] = [_joined(value) for value in values]
        if any(NO_CLASS.fullmatch(_joined(value)) for value in there_are):
            labels[name] = [f"C{value}" for value in labels[name]]
        if len({_joined(value) for value in there_are}) < len(there_are):
            raise BadInput(path, f"values of `{column}` differ in blanks only", "rename one of them")
    return Coded(samples, sex, labels, traits)


def convert(
    vcf: str | Path,
    labels: str | Path,
    formats: Sequence[str],
    *,
    known: Iterable[Sequence[str]] = (),
    threads: int = 1,
    memory_mb: int = LEAST_MEMORY,
) -> Coded:
    """Write samples in these formats (keys of `tools.FORMATS`, or vcf) beside their VCF, and a table of sex and labels.

    `vcf` is bgzipped and indexed; `known` as for `read_coded`. Variants without an id get chromosome:position:REF:ALT.
    REF stays REF, also where a format knows A1 and A2 only. Phase is kept, but by PLINK 1, which has none. The .sample
    names classes, the .fam has a trait where there is just one. Files of formats that are not asked for go.
    Checksums of all that is released come last. The same files give the same bytes (of one version of plink2).

    Raises:
        BadInput: no plink2 here; labels or contigs that it cannot take. RuntimeError: it fails.
    """
    vcf, labels = Path(vcf), Path(labels)
    asked = [name for name in tools.FORMATS if name in formats]
    if asked:
        tools.require(tools.PLINK2)
    coded = read_coded(labels, known)
    folder = vcf.with_name(".formats.part")  # a fixed name: what a killed job leaves is overwritten
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        _write_table(folder / TABLE, coded)
        if asked:
            _run_all(vcf, folder, coded, asked, ["--threads", str(threads), "--memory", str(memory_mb)])
        made = [TABLE, *(file for name in asked for file in tools.FORMATS[name])]
        for name in {file for files in tools.FORMATS.values() for file in files} - set(made):
            vcf.with_name(name).unlink(missing_ok=True)  # of other samples, from an earlier run
        for name in made:
            os.replace(folder / name, vcf.with_name(name))
        released = [vcf, index_beside(vcf), labels, *(vcf.with_name(name) for name in made)]
        tools.write_checksums(folder / tools.CHECKSUMS, released)
        os.replace(folder / tools.CHECKSUMS, vcf.with_name(tools.CHECKSUMS))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return coded


def chromosome_code(contigs: Iterable[str]) -> str:
    """What plink2's --output-chr is to be, so that these contigs keep their names: chrMT, MT, chrM, .. (see there)."""
    contigs = set(contigs)
    bare = {name.removeprefix("chr") for name in contigs}
    prefix = "chr" if any(NUMBERED.fullmatch(name) for name in contigs) else ""
    return prefix + ("M" if "M" in bare else "26" if bare & {"23", "24", "25", "26"} else "MT")


def _run_all(vcf: Path, folder: Path, coded: Coded, formats: list[str], limits: list[str]) -> None:
    """The conversions, by way of PLINK 2's files, which keep everything."""
    import pysam

    with pysam.TabixFile(str(vcf)) as index:
        contigs = list(index.contigs)
    common = ["--allow-extra-chr", "--output-chr", chromosome_code(contigs), *limits]

    def call(*arguments: object) -> None:
        tools.run("plink2", [tools.PLINK2, *arguments, *common])

    stem, table = folder / "synthetic", folder / TABLE
    labels = ["--pheno", table, "--pheno-name", *coded.labels] if coded.labels else []
    ids = ["--set-missing-var-ids", "@:#:$r:$a"]
    # Without INFO, whose allele counts would be untrue of any subset.
    pgen = ["--make-pgen", "pvar-cols=xheader", "--out", stem]
    call("--vcf", vcf, *ids, "--update-sex", table, *labels, *pgen)
    _refuse_renamed(vcf, contigs, folder / "synthetic.pvar")
    if "plink" in formats:
        trait = ["--pheno", table, "--pheno-name", *coded.traits] if len(coded.traits) == 1 else []
        call("--pfile", stem, "--no-psam-pheno", *trait, "--make-bed", "--out", stem)
    if "bgen" in formats:
        call("--pfile", stem, "--export", "bgen-1.2", "bits=8", "ref-first", "--out", stem)
        _write_sample(folder / "synthetic.sample", coded)


def _refuse_renamed(vcf: Path, contigs: list[str], pvar: Path) -> None:
    with open(pvar) as lines:
        found = dict.fromkeys(line.split("\t", 1)[0] for line in lines if not line.startswith("#"))
    if list(found) != contigs:
        renamed = next(name for name in found if name not in contigs)
        remedy = "name all chromosomes of the cohort alike, or ask for `release.formats: [vcf]`"
        raise BadInput(vcf, f"plink2 would call one of the contigs {', '.join(contigs)} {renamed}", remedy)


def _write_table(path: Path, coded: Coded) -> None:
    """`#IID`, `SEX` and the labels, for plink2's --pheno, --covar and --update-sex."""
    rows = zip(coded.samples, coded.sex, *coded.labels.values(), strict=True)
    lines = [("#IID", "SEX", *coded.labels), *rows]
    path.write_text("".join("\t".join(line) + "\n" for line in lines))


def _write_sample(path: Path, coded: Coded) -> None:
    """The samples of a BGEN, as plink2 writes them but with the names of classes, for which it has numbers."""
    kinds = ["B" if name in coded.traits else "D" for name in coded.labels]
    values = [
        [str(int(value) - 1) for value in column] if name in coded.traits else column
        for name, column in coded.labels.items()
    ]
    sex = ["NA" if code == "0" else code for code in coded.sex]
    rows = [("0", sample, "0", *rest) for sample, *rest in zip(coded.samples, sex, *values, strict=True)]
    lines = [("ID_1", "ID_2", "missing", "sex", *coded.labels), ("0", "0", "0", "D", *kinds), *rows]
    path.write_text("".join(" ".join(line) + "\n" for line in lines))


def _joined(text: str) -> str:
    return "_".join(text.split())
