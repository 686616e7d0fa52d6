"""A metrics table as a run leaves it, of invented numbers: generators of many kinds, planted canaries, a release."""

import numpy as np
import pandas as pd

from syngeno.evaluate import metrics
from syngeno.evaluate.attacks import canaries
from syngeno.evaluate.membership import ATTACK_NAMES, DENOISING, MOST_ISOLATED
from syngeno.stats.ld import BINS

KINDS = {
    "diffusion": "haplotype_diffusion",
    "independent": "independent",
    "pooled": "independent",
    "markov": "markov",
    "li_stephens": "li_stephens",
    "copycat": "copycat",
    "theirs": "external",
}
# Of each generator: recovery rate, privacy loss, AUC, share of duplicates, how far it is from real samples.
_TRAITS = {
    "diffusion": (0.97, 0.17, 0.56, 0.0, 0.3),
    "independent": (0.95, 0.0, 0.55, 0.0, 0.8),
    "pooled": (0.42, 0.0, 0.51, 0.0, 1.0),
    "markov": (0.93, 0.05, 0.53, 0.0, 0.6),
    "li_stephens": (0.985, 0.13, 0.57, 0.0, 0.1),
    "copycat": (1.0, 0.5, 1.0, 1.0, 0.0),
    "theirs": (0.9, 0.08, 0.54, 0.02, 0.5),
}
# Attacks on whole samples, and along haplotypes.
_WHOLE = ("distance", "distance_ratio", "density_ratio", "frequency_ratio")
_ALONG = tuple(name for name in ATTACK_NAMES if name not in (*_WHOLE, DENOISING))
_SFS = {"1": 0.1, "2": 0.07, "3-5": 0.11, "6-10": 0.09, "11-20": 0.08, "21-50": 0.09, "51+": 0.16}
_MAF = {"maf 0-0.005": 0.34, "maf 0.005-0.01": 0.55, "maf 0.01-0.05": 0.72, "maf 0.05-0.5": 0.9}


def judged(
    generators=tuple(_TRAITS), labels=("AFR", "EUR", "OTHER"), seeds=(1, 2), *, cm=True, kinship=True, seed=0
) -> pd.DataFrame:
    """The table with its envelope and its rows over seeds; the same arguments give the same table."""
    rng = np.random.default_rng(seed)
    tables = []
    for one in seeds:
        for name in generators:
            subject = {"generator": name, "fraction": 100, "seed": one}
            rows = _rows(*_TRAITS[name], labels, rng, cm, kinship, KINDS[name])
            tables.append(metrics.table(rows, **subject))
            tables += [
                metrics.table(_planted(kind, *_TRAITS[name][2:4], rng), variant=f"planted 5 %, {kind}", **subject)
                for kind in (canaries.WHOLE, *canaries.PIECES)
            ]
            if name == "diffusion":
                released = [row for row in rows if row["metric"] in ("privacy_loss", "recovery_rate", "high_risk")]
                tables.append(metrics.table(released, variant="released", **subject))
    table = pd.concat(tables, ignore_index=True)
    table = metrics.with_envelope(table, _envelope(_rows(1.0, 0.0, 0.5, 0.0, 0.0, labels, rng, cm, kinship, "real")))
    coverage = [metrics.row("envelope_coverage", 0.95, group=name, n=40) for name in ("fidelity", "privacy")]
    return metrics.over_seeds(
        pd.concat([table, metrics.table(coverage, generator="real", fraction=100, seed=0)], ignore_index=True)
    )


def literature() -> pd.DataFrame:
    """Published numbers, and ours by the published protocol."""
    numbers = {
        "real train": (1.459, 0.00262, 10.7, 5.3), "WGAN": (1.85, 0.00283, 14.7, 6.4),
        "RBM": (1.627, 0.00273, 62, 31.5), "HCLT": (2.938, 0.00395, 23.6, 18.7),
        "HMM": (7.94, 0.0348, 106, 86), "Markov": (25.0, 0.209, 173, 126),
    }  # fmt: skip
    mine = {"markov": (24.1, 0.2, 170, 120), "independent": (27.2, 0.23, 181, 128), "diffusion": (9.1, 0.04, 40, 35)}
    tables = []
    for names, suffix, fraction in ((numbers, " (published)", None), (mine, "", 100)):
        for name, values in names.items():
            rows = [
                metrics.row(metric, value, against="test", n=1002)
                for metric, value in zip(
                    ("wasserstein_pc1_6", "sinkhorn_pc1_2", "distance_within_w1", "distance_between_w1"), values,
                    strict=True,
                )
            ]  # fmt: skip
            if name == "HCLT":
                rows.append(metrics.row("heldout_nats", 265, against="test", n=1002))
            tables.append(metrics.table(rows, generator=name + suffix, fraction=fraction, seed=1, protocol="published"))
    return pd.concat(tables, ignore_index=True)


def _rows(recovery, loss, auc, duplicates, far, labels, rng, cm, kinship, kind) -> list[dict]:
    """Every metric that the suites give; `far` 0 is like real samples, 1 is without any linkage."""

    def row(metric, value, group="all", against="", half=0.0, noise=0.004):
        value = value + noise * rng.standard_normal()
        return metrics.row(metric, value, group=group, against=against, low=value - half, high=value + half, n=500)

    rows = [
        row("recovery_rate", recovery - 0.01 * k, group, "test", 0.02)
        for k, group in enumerate(("all", "logistic_regression", "random_forest", "gradient_boosting"))
    ]
    rows += [row("accuracy", 0.92 * recovery, against="test", half=0.02)]
    saturated = kind == "independent"
    for space in ("all", "encoder_space"):
        rows += [
            row("aa_truth", min(1.0, 0.5 + far), space, "train", 0.02),
            row("aa_truth", min(1.0, 0.5 + far + loss), space, "test", 0.02),
            row("aa_syn", 0.5 - 0.3 * far, space, "train", 0.02),
            row("privacy_loss", loss, space, half=0.04),
            row("aa_saturated", float(saturated), space, noise=0),
        ]
    for k, attack in enumerate(("all", *_WHOLE, DENOISING)):
        if attack != DENOISING or kind == "haplotype_diffusion":
            rows += [
                row("membership_auc", 0.5 if k == 4 and auc < 1 else auc - 0.004 * k, attack, half=0.02),
                row("membership_tpr_at_1pct", 1.0 if auc == 1 else 0.012, attack, half=0.008, noise=0.001),
            ]
    for k, attack in enumerate(_ALONG):
        rows += [
            _exact("membership_auc", auc - 0.01 - 0.004 * k, attack, half=0.02),
            _exact("membership_tpr_at_1pct", 1.0 if auc == 1 else 0.012, attack, half=0.008),
        ]
    for k, name in enumerate((*labels, MOST_ISOLATED)):
        rows += [_exact("membership_auc", auc - 0.01 * k, one, name, half=0.05) for one in (*_WHOLE, *_ALONG)]
    rows += [
        row("duplicate_share", duplicates, against="train", noise=0),
        row("near_duplicate_share", duplicates, against="train", noise=0),
        row("high_risk", 0.05 + 0.9 * duplicates, half=0.01),
        row("kinship_max", 0.1 + 0.4 * duplicates, against="train"),
        row("kinship_max", 0.11, "heldout", "train"),
        row("kinship_contrast", 0.5 + loss, against="train", half=0.02),
    ]
    if cm:
        for k, suffix in enumerate(("", "_real")):
            more = (1 - k) * (loss + duplicates)
            rows += [_exact(f"shared_segments{suffix}", (5 + more) / length, f"longer than {length} cM", "train", 0.1)
                     for length in (1, 3)]  # fmt: skip
            rows += [_exact(f"longest_segment_cm{suffix}", value * (1 + more), group, "train", 0.1)
                     for group, value in (("median", 0.6), ("99 %", 1.2), ("largest", 2.5))]  # fmt: skip
    if kinship:
        rows += [row(f"kinship_{one}", duplicates if group == "all" else 0.004, group, "train", noise=0.001)
                 for one in ("duplicate", "first", "second") for group in ("all", "heldout")]  # fmt: skip
    rows += [row("sfs", share * (1 - 0.3 * far * (k < 2)), f"mac {name}", noise=0.001)
             for k, (name, share) in enumerate(_SFS.items())]  # fmt: skip
    for metric, value, against in (
        ("polymorphic_share", 0.7 - 0.05 * far, ""), ("singleton_share", 0.1 - 0.02 * far, ""),
        ("polymorphic_ratio", 1 - 0.1 * far, "train"), ("heterozygosity", 0.135 + 0.005 * far, ""),
        ("inbreeding_f", 0.128 - 0.04 * far, ""), ("hwe_outliers", 0.002 + 0.01 * far, ""),
        ("haplotype_diversity", 0.8 + 0.15 * far, ""), ("haplotype_diversity_r", 0.99 - 0.3 * far, "train"),
        ("fst_difference", 0.001 + 0.01 * far, "train"), ("fst_to_train", 0.0005 + 0.01 * far, "train"),
        ("sinkhorn_pc1_2", 0.003 + 0.05 * far, "test"), ("wasserstein_pc1_6", 3.8 + 24 * far, "test"),
        ("distance_within", 2000 + 50 * far, ""), ("distance_between", 2000 + 40 * far, "test"),
        ("distance_within_w1", 10 + 160 * far, "test"), ("distance_between_w1", 6 + 120 * far, "test"),
        ("allele_frequency_r", 0.997 - 0.01 * far, "test"), ("ld_r", 0.99 - far * 0.6, "train"),
        ("association_r", 0.98 - 0.2 * far, "train"), ("association_slope", 0.99 - 0.3 * far, "train"),
    ):  # fmt: skip
        rows.append(row(metric, value, against=against, noise=0.01 * abs(value)))
    for k, name in enumerate(BINS):
        rows += [row("ld_r2", 0.4 * np.exp(-0.9 * k) * (1 - far), group)
                 for group in (name, *(f"{label}: {name}" for label in labels))]  # fmt: skip
    if cm:
        rows += [row("ld_r2", 0.4 * np.exp(-0.9 * k) * (1 - far), name)
                 for k, name in enumerate(("0-0.001cM", "0.001-0.01cM", "0.01-0.1cM", "0.1-1cM"))]  # fmt: skip
    rows += [row("three_point_r", 0.99 - far * 0.1 * k, f"gap {gap}", "train") for k, gap in enumerate((1, 4, 16, 64))]
    for i, a in enumerate(labels):
        rows += [row("fst", 0.03 * (k + 1) / len(labels) * (1 - 0.5 * far), f"{a} / {b}", noise=0.002)
                 for k, b in enumerate(labels) if k > i]  # fmt: skip
        rows += [row("recall", 0.9 * recovery, a, "test", noise=0.05), row("recall_real", 0.9, a, "test", noise=0)]
    for name, r2 in _MAF.items():
        rows += [
            row("imputation_r2", r2 * (1 - 0.8 * far), name, "test"),
            row("imputation_r2_real", r2, name, "test", noise=0),
        ]
    rows.append(row("imputation_ratio", 1 - 0.8 * far, against="test"))
    nats = {"li_stephens": 170, "markov": 700, "independent": 2403}
    if kind in nats:
        rows.append(row("heldout_nats", nats[kind], against="test", half=5))
    return rows


def _exact(metric, value, group, against="", half=0.0) -> dict:
    return metrics.row(metric, value, group=group, against=against, low=value - half, high=value + half, n=500)


def _planted(kind, auc, duplicates, rng) -> list[dict]:
    """Attacks on whole samples detect whole canaries, those along haplotypes the larger pieces best of all."""
    rows, whole = [], kind == canaries.WHOLE
    if whole:
        rows.append(metrics.row("planted_listed", 1.0, n=90, low=0.961, high=1.0))
    gains = dict(zip(_WHOLE, (0.05, 0.048, 0.045, 0.001) if whole else 4 * [0.001], strict=True))
    pieces = {"whole": 0.04, "pieces of 1 cM": 0.003, "pieces of 3 cM": 0.03, "pieces of 5 cM": 0.06}
    gains |= dict.fromkeys(_ALONG, pieces[kind])
    for attack, gain in gains.items():
        noise = 0.002 * rng.standard_normal() if whole and attack in _WHOLE and auc != 1 else 0
        gain = 0.0 if auc == 1 else gain + noise
        before = 1.0 if auc == 1 else 0.012
        rows += [
            metrics.row("membership_auc", min(1, auc + gain), group=attack, n=2300),
            metrics.row("membership_tpr_at_1pct", before + gain, group=attack, n=2300),
            metrics.row("membership_tpr_gain", gain, group=attack, low=gain - 0.01, high=gain + 0.01, n=2300),
        ]
    return rows


def _envelope(rows) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    half = 0.03 * table["value"].abs() + 0.002
    return table.assign(real=table["value"], real_low=table["value"] - half, real_high=table["value"] + half)
