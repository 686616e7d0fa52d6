"""The metrics table: tidy, one number per row, the source of every figure and claim.

`generator, variant, fraction, real_fraction, seed, protocol` say what was judged; `group, metric, against`
say which number it is; `value, low, high` are the number and its interval; `real, real_low, real_high` are
the real-vs-real envelope of the same number; `n` is how many samples (or pairs, or variants) stand behind it,
and in rows with seed "all" how many seeds.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.errors import BadInput
from syngeno.stats import intervals

NUMBER = ["metric", "group", "against"]
SUBJECT = ["generator", "variant", "fraction", "real_fraction", "seed", "protocol"]
_TEXT = ["generator", "variant", "seed", "protocol", "group", "metric", "against"]
_WHOLE = ["fraction", "real_fraction", "n"]
_ENVELOPE = ["real", "real_low", "real_high"]
_FLOAT = ["value", "low", "high", *_ENVELOPE]
COLUMNS = [*SUBJECT, "group", "metric", "against", *_FLOAT, "n"]

# Where more, or less, is better. Of other metrics (heterozygosity, AA truth) as much as in real samples is good.
HIGH_IS_GOOD = {
    "recovery_rate", "accuracy", "accuracy_ratio", "balanced_accuracy", "recall", "association_r", "imputation_r2",
    "imputation_ratio", "panel_r2", "allele_frequency_r", "ld_r", "three_point_r", "haplotype_diversity_r",
    "decode_concordance",
}  # fmt: skip
LOW_IS_GOOD = {
    "privacy_loss", "membership_auc", "membership_tpr_at_1pct", "duplicate_share", "near_duplicate_share", "high_risk",
    "membership_auc_by_dose", "membership_tpr_at_01pct", "kinship_max", "kinship_contrast", "kinship_duplicate",
    "kinship_first", "kinship_second", "hwe_outliers", "allele_frequency_rmse", "allele_frequency_rmse_ratio",
    "distance_within_w1", "distance_between_w1", "fst_to_train", "fst_difference", "wasserstein_pc1_6",
    "sinkhorn_pc1_2", "heldout_nats", "association_lambda_ratio", "inference_risk", "inference_success",
    "singling_out_risk", "singling_out_success", "linkability_risk", "linkability_success", "private_run_cm",
    "shared_segments", "longest_segment_cm", "individual_risk",
}  # fmt: skip
# What a metric can be: no interval and no envelope goes farther. Estimates that are corrected for the number of samples
# (Fst, r2) can be below 0.
RANGES = {
    (0, 1): {
        "polymorphic_share", "singleton_share", "sfs", "heterozygosity", "hwe_outliers", "haplotype_diversity",
        "allele_frequency_rmse", "decode_concordance", "aa_truth", "aa_syn", "aats", "aa_saturated", "aa_truth_yale",
        "aa_syn_yale", "aats_yale", "duplicate_share", "near_duplicate_share", "high_risk", "kinship_contrast",
        "kinship_duplicate", "kinship_first", "kinship_second", "membership_auc", "membership_tpr_at_1pct",
        "membership_auc_by_dose", "membership_tpr_at_01pct", "planted_listed", "accuracy", "accuracy_real",
        "accuracy_chance", "balanced_accuracy", "balanced_accuracy_real", "recall", "recall_real", "imputation_r2",
        "imputation_r2_real", "panel_r2", "envelope_coverage", "inference_success", "singling_out_success",
        "linkability_success", "one_carrier_alleles", "individual_risk",
    },
    (-1, 1): {
        "allele_frequency_r", "ld_r", "ld_r2", "three_point_r", "haplotype_diversity_r", "fst", "fst_to_train",
        "privacy_loss", "privacy_loss_yale", "membership_tpr_gain", "planted_gain", "association_r", "gain", "lead",
    },
    (0, np.inf): {
        "allele_frequency_rmse_ratio", "polymorphic_ratio", "fst_difference", "wasserstein_pc1_6", "sinkhorn_pc1_2",
        "distance_within", "distance_between", "distance_within_w1", "distance_between_w1", "heldout_nats",
        "accuracy_ratio", "association_lambda", "association_lambda_real", "association_lambda_ratio",
        "association_false_hits", "imputation_ratio", "reconstruction_error", "private_run_cm", "private_run_cm_real",
        "shared_segments", "shared_segments_real", "longest_segment_cm", "longest_segment_cm_real",
    },
    (-np.inf, 1): {"inbreeding_f", "inference_risk", "singling_out_risk", "linkability_risk"},
    (-np.inf, 0.5): {"kinship_max"},
    (-np.inf, np.inf): {"recovery_rate", "association_slope", "gain_left"},
}  # fmt: skip


def possible(metric: str, low: float, high: float) -> tuple[float, float]:
    """The ends of an interval, or of an envelope, without what the metric cannot be; nan stays nan."""
    ends = next((ends for ends, metrics in RANGES.items() if metric in metrics), (-np.inf, np.inf))
    low, high = np.clip([low, high], *ends).tolist()
    return low, high


def row(
    metric: str,
    value: float,
    *,
    n: int,
    group: str = "all",
    against: str = "",
    low: float = np.nan,
    high: float = np.nan,
) -> dict:
    """One number of a suite: what it is, its value, its interval, how many stand behind it."""
    number = {"value": float(value), "low": float(low), "high": float(high), "n": int(n)}
    return {"metric": metric, "group": group, "against": against, **number}


def share_row(metric: str, share: float, n: int, group: str, against: str) -> dict:
    """A share of samples as a metric row, with its Wilson interval."""
    low, high = intervals.wilson(share, n)
    return row(metric, share, group=group, against=against, low=low, high=high, n=n)


def mean_row(metric: str, values: np.ndarray, group: str, against: str = "") -> dict:
    """The mean of a number of each sample, (samples,), as a metric row, with its normal 95 % interval.

    The interval is without what the metric cannot be.
    """
    mean, *ends = intervals.mean(values)
    low, high = possible(metric, *ends)
    return row(metric, mean, group=group, against=against, low=low, high=high, n=len(values))


def likelihood_rows(nats: np.ndarray, label: np.ndarray) -> list[dict]:
    """How probable held-out samples are to a model: rows `heldout_nats`, the mean over sequences, of all and by label.

    `nats` (sequences,), `label` (samples,) in the same order; a sample's sequences stand side by side. A sample's two
    haplotypes share their ancestry, so the interval is that of the mean over samples (n).
    """
    if not len(label) or not len(nats) or len(nats) % len(label):
        raise ValueError(f"{len(nats)} likelihoods for {len(label)} samples")
    of_samples = nats.reshape(len(label), -1).mean(1)
    parts = {"all": of_samples} | {name: of_samples[label == name] for name in np.unique(label).tolist()}
    return [mean_row("heldout_nats", part, group, "test") for group, part in parts.items()]


def table(
    rows: Iterable[dict],
    *,
    generator: str,
    fraction: int | None,
    seed: int | str,
    variant: str = "",
    real_fraction: int | None = None,
    protocol: str = "ours",
) -> pd.DataFrame:
    """The rows of the suites as a metrics table of one subject, still without envelope."""
    subject = dict(zip(SUBJECT, (generator, variant, fraction, real_fraction, str(seed), protocol), strict=True))
    return _typed(pd.DataFrame([subject | one for one in rows], columns=COLUMNS))


def of(rows: pd.DataFrame, metric: str, group: str | None = "all", against: str | None = None) -> pd.DataFrame:
    """The rows of one metric, of one group and against one part unless that is None."""
    chosen = rows["metric"] == metric
    for column, wanted in (("group", group), ("against", against)):
        if wanted is not None:
            chosen &= rows[column] == wanted
    return rows[chosen]


def ours(rows: pd.DataFrame) -> pd.DataFrame:
    """The numbers of the generators themselves: no canaries, no releases, no other protocol, one row per seed."""
    single = (rows["protocol"] == "ours") & (rows["variant"] == "") & (rows["metric"] != "envelope_coverage")
    return rows[single & (rows["seed"] != "all")]


def present(rows: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """By its title, the rows (group "all") of each metric that was measured."""
    found = {title: of(rows, metric) for metric, title in titles.items()}
    return {title: part for title, part in found.items() if len(part)}


def with_envelope(rows: pd.DataFrame, envelope: pd.DataFrame) -> pd.DataFrame:
    """Put `real, real_low, real_high` of the envelope beside each number that it holds.

    Raises ValueError when the envelope gives the same number twice.
    """
    beside = envelope[[*NUMBER, *_ENVELOPE]]
    if beside.duplicated(NUMBER).any():
        raise ValueError("the envelope gives the same (metric, group, against) twice")
    return _typed(rows.drop(columns=_ENVELOPE).merge(beside, on=NUMBER, how="left", sort=False))


def with_rmse_ratio(rows: pd.DataFrame) -> pd.DataFrame:
    """Add `allele_frequency_rmse_ratio`: the error of the frequencies over that between sets of real samples."""
    ratio = rows[(rows["metric"] == "allele_frequency_rmse") & (rows["real"] > 0)].copy()
    for column in ("value", "low", "high", "real_low", "real_high"):
        ratio[column] /= ratio["real"]
    ratio = ratio.assign(metric="allele_frequency_rmse_ratio", real=1.0)
    return pd.concat([rows, ratio], ignore_index=True)


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Add rows with seed "all": the mean over two or more seeds (n), its 95 % interval over samples and seeds.

    The interval is that of `intervals.over_seeds`, without what the metric cannot be.
    """
    single = rows[rows["seed"] != "all"]
    key = [column for column in [*SUBJECT, *NUMBER] if column != "seed"]
    added = []
    for values, part in single.groupby(key, sort=False, dropna=False):
        if len(part) < 2:
            continue
        subject = dict(zip(key, values, strict=True))
        ends = intervals.over_seeds(*(part[name].to_numpy() for name in ("value", "low", "high")))
        low, high = possible(subject["metric"], *ends)
        number = {"seed": "all", "value": part["value"].mean(), "low": low, "high": high, "n": len(part)}
        added.append(subject | number | part[_ENVELOPE].mean().to_dict())
    if not added:
        return single.reset_index(drop=True)
    return pd.concat([single, _typed(pd.DataFrame(added, columns=COLUMNS))], ignore_index=True)


def write(rows: pd.DataFrame, path: Path | str) -> None:
    """Write the table as TSV, numbers with six significant digits, nothing where there is no number."""
    rows[COLUMNS].to_csv(path, sep="\t", index=False, float_format="%.6g", lineterminator="\n")


def read(path: Path | str) -> pd.DataFrame:
    """Read what `write` wrote; labels such as "NA" stay text. Raises BadInput when it is another file."""
    try:
        rows = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise BadInput(path, f"cannot be read as a metrics table ({error})", "make it again") from error
    if list(rows.columns) != COLUMNS:
        raise BadInput(path, "does not have the columns of a metrics table", "make it again")
    return _typed(rows.replace({column: {"": None} for column in [*_WHOLE, *_FLOAT]}))


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows[COLUMNS].reset_index(drop=True)
    kinds = dict.fromkeys(_TEXT, "str") | dict.fromkeys(_WHOLE, "Int64") | dict.fromkeys(_FLOAT, "float64")
    for column in [*_WHOLE, *_FLOAT]:
        rows[column] = pd.to_numeric(rows[column])
    return rows.astype(kinds)
