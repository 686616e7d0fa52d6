"""How near to training samples a synthetic sample lies, beside samples that were never trained on; whom to withhold.

The yardstick is how far held-out samples lie from training. Labels differ in that, and many have few held-out samples.
So the logarithm of a distance is standardised within its label, and the standardised distances of the held-out samples
of all labels are one yardstick. A label's middle is its median, drawn to that of all labels by as much as it is
uncertain and labels are alike (empirical Bayes; Efron & Morris, JASA 70:311, 1975); its spread is by the median
absolute deviation, drawn to that of all labels where it has few samples (Smyth, Stat Appl Genet Mol Biol 3:3, 2004).

Relatives in training make a held-out sample near for another reason than that it was trained on, and a few of them
would set the bound of 5 %. So those with known ones are left out, and of the others those that lie farther than 5
robust standard deviations below the middle, who are likely to have unknown ones. (Iglewicz & Hoaglin, How to detect and
handle outliers, 1993, take 3.5 of a normal distribution; the nearest of many distances has a longer tail towards 0, of
which that would cut off 1 to 2 %.)
"""

import logging
import math
from collections import Counter

import numpy as np
import pandas as pd

from syngeno.data.samples import label_plan

NEAR_QUANTILE, NEAR_SHARE = 0.01, 0.25
HIGH_RISK = 0.95
OUTLYING = 5
PRIOR = 10  # samples that the spread of all labels counts for beside a label's own

_SD_PER_MAD = 1.4826  # of a normal distribution
_SMALLEST = 1e-6  # spread, where all samples are equally far

log = logging.getLogger(__name__)


class Yardstick:
    """Held-out samples' distances to the nearest training sample: what is near for one that was never trained on."""

    def __init__(self, distances: np.ndarray, label: np.ndarray, related: np.ndarray) -> None:
        """Distances (samples,) of held-out samples, their labels, and who has relatives in training, bool (samples,).

        Where all have, none is left out.
        """
        if related.all():
            log.warning("all held-out samples have relatives in training: risks are smaller than they should be")
            related = np.zeros_like(related)
        logs, label = _logs(distances[~related]), label[~related]
        middle = float(np.median(logs))
        self._any = middle, _spread(logs - middle)
        self._of = _scales(logs, label)
        standardised = self._standardised(distances[~related], label)
        self._heldout = np.sort(standardised[standardised >= -OUTLYING])

    def listed(self, distances: np.ndarray, label: np.ndarray) -> np.ndarray:
        """ "exact", "near" or "" for samples at these distances from training."""
        middle, spread = self._scale(label)
        bound = np.exp(middle + spread * np.quantile(self._heldout, NEAR_QUANTILE)) - 0.5
        return np.select([distances == 0, distances < NEAR_SHARE * bound], ["exact", "near"], "")

    def risk(self, distances: np.ndarray, label: np.ndarray) -> np.ndarray:
        """Share of held-out samples that are farther from training for their label, ties one half."""
        standardised = self._standardised(distances, label)
        places = [np.searchsorted(self._heldout, standardised, side) for side in ("left", "right")]
        return 1 - (places[0] + places[1]) / (2 * len(self._heldout))

    def _standardised(self, distances: np.ndarray, label: np.ndarray) -> np.ndarray:
        middle, spread = self._scale(label)
        return (_logs(distances) - middle) / spread

    def _scale(self, label: np.ndarray) -> np.ndarray:
        """Middle and spread of each sample's label, float64 (2, samples); of all samples for a label without any."""
        return np.array([self._of.get(name, self._any) for name in label.tolist()]).reshape(-1, 2).T


def _logs(distances: np.ndarray) -> np.ndarray:
    """A half is added, so that 0 has a logarithm."""
    return np.log(distances + 0.5)


def _spread(residual: np.ndarray) -> float:
    """Standard deviation by the median absolute deviation, or itself where half of the samples do not deviate."""
    return max(_SD_PER_MAD * float(np.median(np.abs(residual))) or float(residual.std()), _SMALLEST)


def _scales(logs: np.ndarray, label: np.ndarray) -> dict[str, tuple[float, float]]:
    """Middle and spread by label; see the module."""
    names, group, count = np.unique(label, return_inverse=True, return_counts=True)
    parts = [group == one for one in range(len(names))]
    median = np.array([np.median(logs[part]) for part in parts])
    residual = logs - median[group]
    own = np.array([_SD_PER_MAD * np.median(np.abs(residual[part])) for part in parts])
    spread = np.sqrt((PRIOR * _spread(residual) ** 2 + count * own**2) / (PRIOR + count))
    error = np.pi / 2 * spread**2 / count  # variance of the median of a normal sample
    between = max(0.0, float(median.var(ddof=1) - error.mean())) if len(names) > 1 else 0.0
    overall = np.average(median, weights=1 / (between + error))
    middle = (between * median + error * overall) / (between + error)
    return dict(zip(names.tolist(), zip(middle.tolist(), spread.tolist(), strict=True), strict=True))


WITHHELD_COLUMNS = ("sample", "label", "risk", "why")
WHY = {"exact": "same genotypes as a training sample", "near": "nearly the genotypes of a training sample"}
RISKY = "among the nearest to training samples"


def choose(audited: pd.DataFrame, percent: float) -> pd.DataFrame:
    """Which samples to withhold from release: sample, label, risk, why, in the order of the audit.

    `audited` is the table of an audit. Listed duplicates go, and besides the `percent` of each label with the highest
    risk: of all samples rounded up, of labels by largest remainder, so that the composition stays. Ties go by smaller
    distance, larger kinship, then id. The duplicates count among that percentage. Nothing of a real sample is in the
    result.
    """
    order = np.lexsort((audited["sample"], -audited["kinship_max"], audited["distance"], -audited["risk"]))
    quota = Counter(label_plan(audited["label"], math.ceil(len(audited) * percent / 100 - 1e-9)).tolist())
    place = audited.iloc[order].groupby("label").cumcount().reindex(audited.index)
    riskiest = place < audited["label"].map(lambda name: quota[name])
    why = audited["listed"].map(WHY).fillna(riskiest.map({True: RISKY, False: ""}))
    return audited.assign(why=why).loc[why != "", list(WITHHELD_COLUMNS)].reset_index(drop=True)


def composition(audited: pd.DataFrame, withheld: pd.DataFrame) -> pd.DataFrame:
    """How many samples of each label were drawn, are withheld and are released: label, drawn, withheld, released."""
    drawn = audited["label"].value_counts().sort_index()
    held = withheld["label"].value_counts().reindex(drawn.index, fill_value=0)
    table = pd.DataFrame({"drawn": drawn, "withheld": held, "released": drawn - held})
    return table.rename_axis("label").reset_index()
