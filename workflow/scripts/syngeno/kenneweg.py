"""What Kenneweg et al. (Bioinformatics 2025, btaf209) did and found: their denoisers, and their printed figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from syngeno.errors import BadInput

COLUMNS = ["data", "table", "classifier", "denoiser", "against", "real_percent", "value"]
TABLES = ("accuracy", "augmentation", "aa_truth", "aa_syn")

# What makes a denoiser the paper's, beside its size.
_DENOISERS: dict[str, dict[str, bool]] = {
    "mlp": {},
    "cnn": {"blockwise": False, "positions": False},
    "mlp+cnn": {"blockwise": False, "positions": False, "chained": False},
    "transformer": {"blockwise": True, "positions": False},
}


class Denoiser(NamedTuple):
    """A kind of denoiser, and in which words it differs from the paper's: in nothing, if they are none."""

    kind: str
    changes: str = ""


def denoiser(settings: Mapping[str, Any]) -> Denoiser:
    """What the settings of a generator's denoiser (all of them) make of it."""
    wanted = _DENOISERS[settings["kind"]]
    changes = [f"{key}: {str(settings[key]).lower()}" for key, value in wanted.items() if settings[key] != value]
    return Denoiser(settings["kind"], ", ".join(changes))


def read(path: str | Path) -> pd.DataFrame:
    """Read the table: text columns, `real_percent` Int64 (none but in the augmentation), `value` as a share.

    `table` is one of `TABLES`; `denoiser` is "real" for what was learnt from real people. Lines of # say where the
    figures come from. Raises BadInput for other columns or tables, a value that is no share, a figure given twice.
    """
    try:
        figures = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, comment="#")
    except (OSError, ValueError) as error:
        raise BadInput(path, f"cannot be read as the paper's figures ({error})", "give a TSV") from error
    if list(figures.columns) != COLUMNS:
        raise BadInput(path, f"has the columns {', '.join(figures.columns)}", f"give {', '.join(COLUMNS)}")
    unknown = set(figures["table"]) - set(TABLES)
    if unknown:
        raise BadInput(path, f"has a table '{min(unknown)}'", f"use {', '.join(TABLES)}")
    value = pd.to_numeric(figures["value"], errors="coerce")
    wrong = ~value.between(0, 1)
    if wrong.any():
        raise BadInput(path, f"has a value that is no share ({figures['value'][wrong].iloc[0]!r})", "mend it")
    twice = figures.duplicated(COLUMNS[:-1])
    if twice.any():
        raise BadInput(path, f"gives a figure twice ({' '.join(figures[twice].iloc[0, :-1])})", "keep one")
    percent = pd.to_numeric(figures["real_percent"].replace("", None)).astype("Int64")
    return figures.assign(value=value, real_percent=percent)
