"""Tables of samples: their labels, their part in the split, the training samples of a fraction, and labels to draw.

The split depends on ids, labels and the seed alone: samples are ordered by a hash of seed and id, so that neither the
order of the file nor the genotypes matter, and a further sample moves only those at the edge between two parts.
"""

import csv
import hashlib
import logging
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.errors import BadInput

logger = logging.getLogger(__name__)

# What pandas takes for missing, and what PLINK and VCF write for it.
MISSING = frozenset({
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "None", "n/a", "nan", "null", "", ".", "-9",
})  # fmt: skip
NO_FAMILY = MISSING | {"0"}  # PLINK writes 0 for no family
FAM = ["family", "sample", "father", "mother", "sex", "phenotype"]  # columns of PLINK's .fam, which has no header
SEPARATED = {";": "semicolons", ",": "commas", "\t": "tabs", " ": "blanks"}
SPLITS = ("train", "validation", "test")
LEAST = {"train": 2, "validation": 1, "test": 2}  # samples of each class
JOINT = "|"
# How control and case are coded in tables of samples, each with PLINK's code.
TRAITS = {"control": "1", "case": "2"}, {"1": "1", "2": "2"}, {"0": "1", "1": "2"}
SEPARATORS = (" / ", ": ")  # of two labels, and of a label and a bin, in groups of the metrics table
RESERVED = {"all", "encoder_space", "heldout", "within_labels", "most_likely"}  # other groups of the metrics table
MEASURED = 10  # labels that are all numbers, more of them than this, and some of few samples, are measurements


def read_labels(
    path: str | Path,
    label: str | list[str],
    family: str | None = None,
    *,
    remedy: str = "correct `label` or `family` of the cohort",
) -> pd.DataFrame:
    """Read a table of samples as `read_table`, indexed by `sample`, with a column `label`; raises BadInput.

    The label is the class, the values of several label columns joined by "|". `remedy` is for a column that is not
    there.
    """
    path, columns = Path(path), [label] if isinstance(label, str) else list(label)
    table = read_table(path)
    for wanted in ["sample", *columns, *([family] if family else [])]:
        if wanted not in table.columns:
            fact = f"has no column `{wanted}` (it has {few(table.columns, 12)})"
            needed = "the table needs one of that name, with the ids of the genotype file"
            raise BadInput(path, fact, needed if wanted == "sample" else remedy)
    _refuse_missing(path, table, "sample", table.index + 2, "rows", "give every row an id")
    twice = [sample for sample, count in Counter(table["sample"]).items() if count > 1]
    if twice:
        raise BadInput(path, f"{len(twice)} samples come more than once ({few(twice)})", "give each sample one row")
    for column in columns:
        remedy = (
            "fill them in (a label that is truly called NA, or the like, needs another name), or leave these samples "
            "out here and set `samples: intersect`"
        )
        _refuse_missing(path, table, column, table["sample"], "samples", remedy)
        if len(columns) > 1 and (column == "label" or table[column].str.contains(JOINT, regex=False).any()):
            raise BadInput(path, f"column `{column}` cannot be joined: its name is taken, or it holds `|`", "rename it")
    table = table.assign(label=table[columns].agg(JOINT.join, axis=1)).set_index("sample")
    for part in SEPARATORS:
        split = table.loc[table["label"].str.contains(part, regex=False), "label"]
        if len(split):
            fact = f"has the label `{split.iloc[0]}`, but `{part}` cannot be part of a label: results are named with it"
            raise BadInput(path, fact, f"write another sign in its place, such as `{split.iloc[0].replace(part, '-')}`")
    taken = sorted(RESERVED & set(table["label"]))
    if taken:
        raise BadInput(path, f"has the label `{taken[0]}`, which has another meaning in the results", "rename it")
    if family:
        _refuse_crowd(path, table, family)
    return table


def _refuse_crowd(path: Path, table: pd.DataFrame, family: str) -> None:
    """Raise BadInput for a family of most samples: it is a word for a missing value, or no split is possible."""
    sizes = table.loc[~table[family].isin(NO_FAMILY), family].value_counts()
    if len(sizes) and sizes.iloc[0] > len(table) / 2:
        fact = f"family `{sizes.index[0]}` of column `{family}` holds {sizes.iloc[0]} of {len(table)} samples"
        raise BadInput(path, fact, "if it stands for no family, leave it empty; else give no `family`")


def match(
    genotype_samples: list[str],
    labels: pd.DataFrame,
    genotypes_where: object,
    labels_where: object,
    intersect: bool = False,
) -> list[str]:
    """Ids that genotypes and labels share, in the genotypes' order; BadInput for others, unless `intersect`."""
    known, typed = set(labels.index), set(genotype_samples)
    both = [sample for sample in genotype_samples if sample in known]
    unlabelled = [sample for sample in genotype_samples if sample not in known]
    untyped = [sample for sample in labels.index if sample not in typed]
    if not both:
        ids = f"{few(labels.index)} against {few(genotype_samples)}"
        fact = f"shares no sample id with {genotypes_where} ({ids})"
        raise BadInput(labels_where, fact, "make the column `sample` hold the ids of the genotype file")
    if (unlabelled or untyped) and not intersect:
        lacking = (unlabelled, f"of {genotypes_where} are not here"), (untyped, "here have no genotypes")
        facts = [f"{len(ids)} samples {what} ({few(ids)})" for ids, what in lacking if ids]
        remedy = f"correct the ids, or set `samples: intersect` to go on with the {len(both)} in both"
        raise BadInput(labels_where, " and ".join(facts), remedy)
    if unlabelled or untyped:
        logger.warning("left out: %d samples without labels, %d without genotypes", len(unlabelled), len(untyped))
    return both


def split(labels: pd.DataFrame, shares: Mapping[str, float], seed: int, family: str | None = None) -> pd.Series:
    """Divide samples into train, validation and test, class by class; families stay together: a Series "split".

    Within a class each part's count is within one family of its share (more only to reach the numbers in `LEAST`, or
    where families mix classes). Raises BadInput for shares whose sum is not 1 and for a class too small to be divided.
    """
    if abs(sum(shares[part] for part in SPLITS) - 1) > 1e-6:
        raise BadInput("split", f"{dict(shares)} are no shares", "give train, validation and test, with sum 1")
    parts = _divide(labels, {part: shares[part] for part in ("test", "validation")}, seed, family)
    return _checked(parts, labels, family)


def split_by_column(
    labels: pd.DataFrame, column: str, validation: float, seed: int, family: str | None = None
) -> pd.Series:
    """Take train and test from a column, in any case; the share `validation` of its train is drawn class by class.

    Raises BadInput for other values, for a family on both sides and for classes too small.
    """
    if column not in labels.columns:
        raise BadInput("split.column", f"the labels have no column `{column}`", f"they have {few(labels.columns, 12)}")
    parts = labels[column].str.strip().str.lower().rename("split")
    other = sorted(set(labels[column][~parts.isin(("train", "test"))]))
    if other:
        fact = f"column `{column}` holds {few(other)} beside train and test"
        raise BadInput("split.column", fact, "use only these two (validation is drawn from train)")
    units = _units(labels, family)
    torn = [unit for unit, sides in parts.groupby(units).nunique().items() if sides > 1]
    if torn:
        fact = f"column `{column}` puts {len(torn)} families on both sides ({few(name for _, name in torn)})"
        raise BadInput("split.column", fact, "keep families together, or give no `family`")
    train = labels[parts == "train"]
    parts.update(_divide(train, {"validation": validation}, seed, family))
    return _checked(parts, labels, family)


def training_samples(table: pd.DataFrame, fraction: int, seed: int) -> list[str]:
    """Draw `fraction` percent of the training samples, at least two of each class, in the order of the table.

    For one seed a smaller fraction lies within a larger one. `table` is one that `read_samples` gives.
    """
    train = table[table["split"] == "train"]
    drawn = set()
    for _, ids in train.groupby("label").groups.items():
        count = max(LEAST["train"], int(len(ids) * fraction / 100 + 0.5))
        drawn.update(sorted(ids, key=lambda sample: _draw(seed, "members", sample))[:count])
    return [sample for sample in train.index if sample in drawn]


def refuse_unknown(wanted: Iterable[object], known: Iterable[str], key: str = "sample.labels") -> None:
    """Raise BadInput when one of the `wanted` labels of a key of the run file, compared as text, is not `known`."""
    known = sorted(set(known))
    unknown = sorted({str(name) for name in wanted} - set(known))
    if unknown:
        raise BadInput(key, f"no training sample is '{unknown[0]}'", f"use {', '.join(known)}")


def write_samples(path: str | Path, labels: pd.DataFrame, parts: pd.Series, columns: Iterable[str] = ()) -> None:
    """Write the table of samples: sample, split, label, and the `columns` of `labels` that have other names."""
    more = [column for column in dict.fromkeys(columns) if column not in ("sample", "split", "label")]
    table = labels[["label", *more]].copy()
    table.insert(0, "split", parts)
    table.to_csv(path, sep="\t", index_label="sample", lineterminator="\n")


def read_samples(path: str | Path) -> pd.DataFrame:
    """Read the table that `write_samples` wrote, indexed by `sample`, all columns as text."""
    return read_table(Path(path)).set_index("sample")


def read_judged(path: str | Path, weights: Mapping[str, float] | None) -> pd.DataFrame:
    """Read the samples of such a table that synthetic ones are judged by: those of the labels that are drawn.

    `weights` as for `label_plan`. Real samples of other labels would dilute every number: no attack finds them, and no
    synthetic sample is like them.
    """
    return judged(read_samples(path), weights)


def judged(table: pd.DataFrame, weights: Mapping[str, float] | None) -> pd.DataFrame:
    """The rows of a table with a column `label` that have one of the labels that are drawn; see `read_judged`."""
    return table if weights is None else table[table["label"].isin([str(name) for name in weights if weights[name]])]


def read_relatives(path: str | Path, table: pd.DataFrame) -> pd.DataFrame:
    """Read pairs of relatives (`prepare.relatives.find`), as text, with the parts of the split: `split_a`, `split_b`.

    `table` is one that `read_samples` gives.
    """
    pairs = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    return pairs.assign(**{f"split_{side}": pairs[f"sample_{side}"].map(table["split"]) for side in "ab"})


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table (tab-separated; comma for .csv; PLINK's .fam), all columns as text; raises BadInput.

    A quote in a tab-separated table is a character, but for a pair around a whole field.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(path, "no such file", "check the path (relative paths start at `data_dir`)")
    comma = ".csv" in path.suffixes
    form = {"sep": "," if comma else "\t", "quoting": csv.QUOTE_MINIMAL if comma else csv.QUOTE_NONE}
    if path.suffix == ".fam":
        form |= {"sep": r"\s+", "header": None, "names": FAM}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # else values beyond the header are dropped
            _refuse_separator(path, _parse(path, form | {"nrows": 0}).columns)
            table = _parse(path, form)
    except BadInput:
        raise
    except (ValueError, OSError, EOFError, pd.errors.ParserWarning) as error:
        fact = f"cannot be read as a table ({' '.join(str(error).split())})"
        raise BadInput(path, fact, "give a tab-separated table with a header") from error
    if table.empty:
        raise BadInput(path, "holds no samples", "give one row a sample under a header")
    table.columns = _bare(table.columns.to_series(), comma)
    table = table.apply(_bare, quoted=comma)
    if path.suffix == ".fam":
        table[FAM[2:]] = table[FAM[2:]].replace("0", "")
    broken = table.apply(lambda column: column.str.contains("\n", regex=False)).any(axis=1)
    if broken.any():
        fact = f"has a quoted field that goes on over the end of a line (row {broken.idxmax() + 2})"
        raise BadInput(path, fact, "take out the quote, or the line break")
    return table


def _parse(path: Path, form: Mapping) -> pd.DataFrame:
    text = {"dtype": str, "keep_default_na": False, "index_col": False, **form}
    try:
        return pd.read_csv(path, encoding="utf-8-sig", **text)  # spreadsheets put a byte order mark before the header
    except UnicodeDecodeError:
        return pd.read_csv(path, encoding="cp1252", **text)


def _bare(column: pd.Series, quoted: bool) -> pd.Series:
    """Fields without blanks around them, and without a pair of quotes, where those mean nothing to the parser."""
    column = column.str.strip()
    return column if quoted else column.str.replace('^"(.*)"$', r"\1", regex=True).str.strip()


def _refuse_separator(path: Path, columns: pd.Index) -> None:
    """Raise BadInput for a table of one column that another separator would part."""
    found = [SEPARATED[sign] for sign in SEPARATED if sign in columns[0]]
    if len(columns) == 1 and found:
        remedy = "save it with tabs, or with commas and a name that ends in .csv"
        raise BadInput(path, f"is separated by {found[0]} (`{columns[0]}`)", remedy)


def _refuse_missing(path: Path, table: pd.DataFrame, column: str, names: Iterable, what: str, remedy: str) -> None:
    empty = table[column].isin(MISSING).to_numpy()
    if empty.any():
        fact = f"{int(empty.sum())} {what} have no value in column `{column}` ({few(np.asarray(names)[empty])})"
        raise BadInput(path, fact, remedy)


def few(values: Iterable, most: int = 3) -> str:
    """The first values, for a message."""
    values = [str(value) for value in values]
    return ", ".join(values[:most]) + (", ..." if len(values) > most else "")


def _draw(seed: int, *what: str) -> bytes:
    return hashlib.blake2b("\t".join((str(seed), *what)).encode(), digest_size=16).digest()


def _units(labels: pd.DataFrame, family: str | None) -> pd.Series:
    alone = pd.Series([("person", sample) for sample in labels.index], labels.index)
    if family is None:
        return alone
    related = [("family", name) for name in labels[family]]
    return alone.where(labels[family].isin(NO_FAMILY).to_numpy(), pd.Series(related, labels.index))


def _divide(labels: pd.DataFrame, shares: dict[str, float], seed: int, family: str | None) -> pd.Series:
    """Fill the parts in `shares` one after the other, unit by unit in drawn order; all that is left is train.

    A unit is taken while it brings the part's counts by class nearer to their targets (least squares). Units of several
    classes come first.
    """
    classes, codes = np.unique(labels["label"].to_numpy(str), return_inverse=True)
    sizes = np.bincount(codes, minlength=len(classes))
    rows_of: dict[tuple[str, str], list[int]] = {}
    for row, unit in enumerate(_units(labels, family)):
        rows_of.setdefault(unit, []).append(row)
    counts = {unit: np.bincount(codes[rows], minlength=len(classes)) for unit, rows in rows_of.items()}
    order = sorted(rows_of, key=lambda unit: ((counts[unit] > 0).sum() == 1, _draw(seed, "split", *unit)))
    missing = {part: np.maximum(share * sizes, LEAST[part]) for part, share in shares.items()}
    parts = np.full(len(labels), "train", object)
    for unit in order:
        for part, left in missing.items():
            if counts[unit] @ left >= counts[unit] @ counts[unit] / 2:
                left -= counts[unit]
                parts[rows_of[unit]] = part
                break
    return pd.Series(parts.astype(str), labels.index, name="split")


def _checked(parts: pd.Series, labels: pd.DataFrame, family: str | None) -> pd.Series:
    counts = pd.crosstab(labels["label"], parts).reindex(columns=SPLITS, fill_value=0)
    sizes, needed = counts.sum(axis=1), sum(LEAST.values())
    measured = pd.to_numeric(counts.index.to_series(), errors="coerce").notna().all()
    if measured and len(counts) > MEASURED and sizes.min() < needed:
        fact = f"the labels are measurements ({len(counts)} numbers, such as {few(counts.index)}), not classes"
        remedy = "cut them into classes such as low, middle and high: quantitative traits are not modelled"
        raise BadInput("split", fact, remedy)
    for part, least in LEAST.items():
        for name, count in counts[part][counts[part] < least].items():
            families = f" in {_units(labels, family)[labels['label'] == name].nunique()} families" if family else ""
            fact = f"class `{name}` has {sizes[name]} samples{families}"
            if sizes[name] < needed:
                remedy = "merge it with another, or take its samples out of the labels (and set `samples: intersect`)"
                raise BadInput("split", f"{fact}, where {needed} are needed", remedy)
            fact += f", of which {count} would be in {part}, where {least} are needed"
            raise BadInput("split", fact, "merge it with another, leave it out, or change the shares")
    return parts


def labels_to_draw(
    samples: pd.DataFrame, training: pd.DataFrame, size: int | str | None, weights: Mapping[str, float] | None
) -> np.ndarray:
    """The label of each synthetic sample, str (n,), by the tables of all and of the training samples.

    `size` is a number, "train" for as many as all training samples of the cohort, None for as many as these; `weights`
    as for `label_plan`.
    """
    count = {None: len(training), "train": int((samples["split"] == "train").sum())}.get(size, size)
    return label_plan(training["label"], count, weights)


def label_plan(label: np.ndarray, samples: int, weights: dict[str, float] | None = None) -> np.ndarray:
    """Sorted labels, str (samples,), in the proportions of the training samples' labels (n,), or by weights.

    Counts are by largest remainder, ties by name. Raises BadInput for the weight of a label that no training sample
    has, and when all weights are 0.
    """
    names, counts = np.unique(np.asarray(label, dtype=str), return_counts=True)
    if weights is not None:
        weights = {str(name): weight for name, weight in weights.items()}
        refuse_unknown(weights, names.tolist())
        counts = np.array([weights.get(name, 0) for name in names.tolist()], dtype=float)
        if not counts.sum():
            raise BadInput("sample.labels", "all weights are 0", "give at least one label a weight")
    share = counts * samples / counts.sum()
    whole = np.floor(share).astype(int)
    whole[np.argsort(whole - share, kind="stable")[: samples - whole.sum()]] += 1
    return np.repeat(names, whole)


def write_labels(path: str | Path, samples: list[str], label: np.ndarray, columns: str | list[str]) -> None:
    """Write `sample` and the label column, or the several that were joined into one class."""
    columns = [columns] if isinstance(columns, str) else list(columns)
    values = [str(name).split(JOINT) if len(columns) > 1 else [str(name)] for name in label]
    table = pd.DataFrame(values, columns=columns)
    table.insert(0, "sample", samples)
    table.to_csv(path, sep="\t", index=False)
