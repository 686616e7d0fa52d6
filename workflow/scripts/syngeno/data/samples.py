"""Tables of samples: their labels, their part in the split, the training samples of a fraction, and labels to draw.

The split depends on ids, labels and the seed alone: samples are ordered by a hash of seed and id, so that neither the
order of the file nor the genotypes matter, and a further sample moves only those at the edge between two parts.
"""

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

MISSING = frozenset({"", "NA", "NaN", "nan", ".", "-9"})
NO_FAMILY = MISSING | {"0"}  # PLINK writes 0 for no family
SPLITS = ("train", "validation", "test")
LEAST = {"train": 2, "validation": 1, "test": 2}  # samples of each class
JOINT = "|"
# How control and case are coded in tables of samples, each with PLINK's code.
TRAITS = {"control": "1", "case": "2"}, {"1": "1", "2": "2"}, {"0": "1", "1": "2"}
SEPARATORS = (" / ", ": ")  # of two labels, and of a label and a bin, in groups of the metrics table
RESERVED = {"all", "encoder_space", "heldout", "within_labels", "most_likely"}  # other groups of the metrics table


def read_labels(path: str | Path, label: str | list[str], family: str | None = None) -> pd.DataFrame:
    """Read a table of samples as `read_table`, indexed by `sample`, with a column `label`; raises BadInput.

    The label is the class, the values of several label columns joined by "|".
    """
    path, columns = Path(path), [label] if isinstance(label, str) else list(label)
    table = read_table(path)
    for wanted in ["sample", *columns, *([family] if family else [])]:
        if wanted not in table.columns:
            fact = f"has no column `{wanted}` (it has {few(table.columns, 12)})"
            key = {"sample": "the table needs one of that name, with the ids of the genotype file"}
            raise BadInput(path, fact, key.get(wanted, "correct `label` or `family` of the cohort"))
    _refuse_missing(path, table, "sample", table.index + 2, "rows", "give every row an id")
    twice = [sample for sample, count in Counter(table["sample"]).items() if count > 1]
    if twice:
        raise BadInput(path, f"{len(twice)} samples come more than once ({few(twice)})", "give each sample one row")
    for column in columns:
        remedy = "fill them in, or leave these samples out here and set `samples: intersect`"
        _refuse_missing(path, table, column, table["sample"], "samples", remedy)
        if len(columns) > 1 and (column == "label" or table[column].str.contains(JOINT, regex=False).any()):
            raise BadInput(path, f"column `{column}` cannot be joined: its name is taken, or it holds `|`", "rename it")
    table = table.assign(label=table[columns].agg(JOINT.join, axis=1)).set_index("sample")
    for part in SEPARATORS:
        split = table.loc[table["label"].str.contains(part, regex=False), "label"]
        if len(split):
            fact = f"a label is `{split.iloc[0]}`, which holds `{part}` as rows of the metrics do"
            raise BadInput(path, fact, "rename it")
    taken = sorted(RESERVED & set(table["label"]))
    if taken:
        raise BadInput(path, f"a label is called `{taken[0]}`, as a row of the metrics is", "rename it")
    return table


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


def refuse_unknown(wanted: Iterable[object], known: Iterable[str]) -> None:
    """Raise BadInput when one of the `wanted` labels, compared as text, is not `known`."""
    known = sorted(set(known))
    unknown = sorted({str(name) for name in wanted} - set(known))
    if unknown:
        raise BadInput("sample.labels", f"no training sample is '{unknown[0]}'", f"use {', '.join(known)}")


def write_samples(path: str | Path, labels: pd.DataFrame, parts: pd.Series, columns: Iterable[str] = ()) -> None:
    """Write the table of samples: sample, split, label, and the `columns` of `labels` that have other names."""
    more = [column for column in dict.fromkeys(columns) if column not in ("sample", "split", "label")]
    table = labels[["label", *more]].copy()
    table.insert(0, "split", parts)
    table.to_csv(path, sep="\t", index_label="sample", lineterminator="\n")


def read_samples(path: str | Path) -> pd.DataFrame:
    """Read the table that `write_samples` wrote, indexed by `sample`, all columns as text."""
    return read_table(Path(path)).set_index("sample")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table (tab-separated; comma for .csv), all columns as text; raises BadInput."""
    path = Path(path)
    if not path.is_file():
        raise BadInput(path, "no such file", "check the path (relative paths start at `data_dir`)")
    separator = "," if ".csv" in path.suffixes else "\t"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # else values beyond the header are dropped
            # utf-8-sig: spreadsheets put a byte order mark before the first column's name.
            form = {"sep": separator, "encoding": "utf-8-sig", "index_col": False}
            table = pd.read_csv(path, dtype=str, keep_default_na=False, **form)
    except (ValueError, OSError, EOFError, pd.errors.ParserWarning) as error:
        fact = f"cannot be read as a table ({' '.join(str(error).split())})"
        raise BadInput(path, fact, "give a tab-separated table with a header") from error
    table.columns = table.columns.str.strip()
    if table.empty:
        raise BadInput(path, "holds no samples", "give one row a sample under a header")
    return table.apply(lambda column: column.str.strip())


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
    for part, least in LEAST.items():
        for name, count in counts[part][counts[part] < least].items():
            size = int(counts.loc[name].sum())
            families = f" in {_units(labels, family)[labels['label'] == name].nunique()} families" if family else ""
            fact = f"class `{name}` ({size} samples{families}) leaves {count} for {part}, where {least} are needed"
            raise BadInput("split", fact, "merge or leave out small classes, or change the shares")
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
