"""The labels of synthetic people: which of them to draw, and the table that goes with the VCF."""

from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.data.samples import JOINT, refuse_unknown
from syngeno.errors import BadInput


def label_plan(label: np.ndarray, people: int, weights: dict[str, float] | None = None) -> np.ndarray:
    """Labels of the people to draw, sorted, str (people,): in the members' proportions, or by weights.

    `label` (members,) are the members' labels. Counts are by largest remainder, ties by name, so that nothing is
    left to chance. Raises BadInput for a weight of a label that no member has, and when all weights are 0.
    """
    names, counts = np.unique(np.asarray(label, dtype=str), return_counts=True)
    if weights is not None:
        weights = {str(name): weight for name, weight in weights.items()}
        refuse_unknown(weights, names.tolist())
        counts = np.array([weights.get(name, 0) for name in names.tolist()], dtype=float)
        if not counts.sum():
            raise BadInput("sample.labels", "all weights are 0", "give at least one label a weight")
    share = counts * people / counts.sum()
    whole = np.floor(share).astype(int)
    whole[np.argsort(whole - share, kind="stable")[: people - whole.sum()]] += 1
    return np.repeat(names, whole)


def write_labels(path: str | Path, samples: list[str], label: np.ndarray, columns: str | list[str]) -> None:
    """Write `sample` and the label column, or the several that were joined into one class."""
    columns = [columns] if isinstance(columns, str) else list(columns)
    values = [str(one).split(JOINT) if len(columns) > 1 else [str(one)] for one in label]
    table = pd.DataFrame(values, columns=columns)
    table.insert(0, "sample", samples)
    table.to_csv(path, sep="\t", index=False)
