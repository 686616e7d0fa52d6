"""What Kenneweg et al. (Bioinformatics 2025, btaf209) did and found: their denoisers, and their printed figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from syngeno.errors import BadInput
from syngeno.evaluate.published import read_figures

COLUMNS = ["data", "table", "classifier", "denoiser", "against", "real_percent", "value"]
TABLES = ("accuracy", "augmentation", "aa_truth", "aa_syn")

# What makes a denoiser the paper's, beside its size.
_FORMS: dict[str, dict[str, bool]] = {
    "mlp": {},
    "cnn": {"blockwise": False, "positions": False},
    "mlp+cnn": {"blockwise": False, "positions": False, "chained": False},
    "transformer": {"blockwise": True, "positions": False},
}
_PREDICTION = "epsilon"
_SIZES: dict[str, dict[str, Any]] = {
    "denoiser": {
        "mlp_widths": [1024, 512, 256],
        "cnn_base": 64,
        "cnn_multipliers": [1, 1, 1, 1, 2, 2, 3, 4],
        "cnn_attention": [32, 64],
        "transformer_width": 384,
        "transformer_layers": 12,
        "transformer_heads": 6,
    },
    "diffusion": {"steps": 500},
    "training": {"epochs": 100, "batch": 32, "learning_rate": 2e-4},
    "sampler": {"sampler": "ancestral"},
}


class Denoiser(NamedTuple):
    """A denoiser beside the paper's: its kind, how its form differs, and how its size, training and sampler do."""

    kind: str
    changes: str = ""
    sizes: str = ""


def denoiser(settings: Mapping[str, Any]) -> Denoiser:
    """What the settings of a diffusion generator (all of them, by section) make of it."""
    given = settings["denoiser"]
    kind = given["kind"]
    changes = [f"{key}: {str(given[key]).lower()}" for key, value in _FORMS[kind].items() if given[key] != value]
    if settings["diffusion"]["prediction"] != _PREDICTION:
        changes.append(f"prediction: {settings['diffusion']['prediction']}")
    sizes = [
        f"{key} {settings[section][key]} ({value})"
        for section, wanted in _SIZES.items()
        for key, value in wanted.items()
        if settings[section][key] != value and (section != "denoiser" or key.split("_")[0] in kind)
    ]
    return Denoiser(kind, ", ".join(changes), ", ".join(sizes))


def read(path: str | Path) -> pd.DataFrame:
    """Read the table: text columns, `real_percent` Int64 (none but in the augmentation), `value` as a share.

    `table` is one of `TABLES`; `denoiser` is "real" for training on real samples. Raises BadInput as `read_figures`
    does, and for another table or a value that is no share.
    """
    figures = read_figures(path, COLUMNS)
    unknown = set(figures["table"]) - set(TABLES)
    if unknown:
        raise BadInput(path, f"has a table '{min(unknown)}'", f"use {', '.join(TABLES)}")
    wrong = figures["value"][~figures["value"].between(0, 1)]
    if len(wrong):
        raise BadInput(path, f"has a value that is no share ({wrong.iloc[0]:g})", "mend it")
    return figures.assign(real_percent=pd.to_numeric(figures["real_percent"].replace("", None)).astype("Int64"))
