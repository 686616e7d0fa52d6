"""Runs that are shadow models for each other: their scores of all training samples, and what LiRA finds by them.

Each run of a generator at a fraction of the training samples is fitted on another part of them (see lira.py). All are
scored by each run's synthetic cohort, those that were left out standing where held-out samples stand in an audit, and
by the fitted model where it is attacked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate import membership
from syngeno.evaluate.attacks import haplotypes, lira
from syngeno.evaluate.attacks import samples as whole_samples
from syngeno.evaluate.metrics import row
from syngeno.stats import nearest

QUANTILES = {"median": 0.5, "99 %": 0.99, "largest": 1.0}  # of individuals by their risk
ABOUT = ["sample", "label", "inside"]  # columns of a run's table beside its scores


def scores(synthetic: Cohort, fitted: Cohort, left_out: Cohort, reference: Cohort, threads: int = 1) -> pd.DataFrame:
    """Scores of all training samples by a run's synthetic cohort: sample, label, inside (0 or 1), and each attack.

    `fitted` are those that the run was fitted on, `left_out` the others, `reference` real samples that no run was
    fitted on; all cohorts have the same variants, else ValueError is raised.
    """
    same_variants(synthetic, fitted, left_out, reference)
    real = fitted, left_out
    to_synthetic = tuple(nearest.nearest(one.dosages, synthetic.dosages, "l1") for one in real)
    to_reference = tuple(nearest.nearest(one.dosages, reference.dosages, "l1")[:, 0] for one in real)
    found = whole_samples.scores(real, reference, synthetic, to_synthetic, to_reference)
    found |= haplotypes.scores(*real, reference, synthetic, {}, threads=threads)[""]
    about = {name: np.concatenate([getattr(one, name) for one in real]) for name in ("sample", "label")}
    about["inside"] = np.repeat([1, 0], [len(fitted), len(left_out)])
    table = pd.DataFrame(about | {attack: np.concatenate(pair) for attack, pair in found.items()})
    return table.sort_values("sample", ignore_index=True)


@dataclass(frozen=True)
class Found:
    """What shadow models find of a generator.

    Attributes:
        rows, plain_rows: metric rows of LiRA, and of the same scores without shadows.
        individuals: a row per training sample: sample, label, runs (that were fitted on it), risk by the strongest
            attack on the synthetic samples, and risk_model by the one on the model, where it is attacked.
        strongest: the attack on the synthetic samples whose interval of the area reaches highest.
    """

    rows: list[dict]
    plain_rows: list[dict]
    individuals: pd.DataFrame
    strongest: str


def measure(runs: Sequence[pd.DataFrame], model_scores: Sequence[pd.Series] = (), *, seed: int) -> Found:
    """LiRA by each score of these runs, and the risk of each individual.

    Args:
        runs: what `scores` gave for each.
        model_scores: scores of all training samples by each run's model, by sample id; none where none is attacked.
        seed: of the bootstrap.

    Raises ValueError where the runs are not of the same samples, or one of them has no score of the model.
    """
    first = runs[0]
    if any(not one["sample"].equals(first["sample"]) for one in runs):
        raise ValueError("the runs are not of the same training samples")
    inside = np.stack([one["inside"].to_numpy(bool) for one in runs])
    attacks = [membership.known(name) for name in first.columns if name not in ABOUT]
    by = {attack: np.stack([one[attack].to_numpy(float) for one in runs]) for attack in attacks}
    if len(model_scores):
        by[membership.DENOISING] = np.stack([membership.looked_up(one, first["sample"]) for one in model_scores])
    ratios = {attack: lira.log_ratios(values, inside) for attack, values in by.items()}
    rates = {attack: lira.rates(values, inside, seed) for attack, values in ratios.items()}
    strongest = max(attacks, key=lambda attack: (rates[attack].auc[2], rates[attack].auc[0]))
    rates["all"] = lira.rates(ratios[strongest], inside, seed, tried=len(attacks))
    rows = [one for attack, found in rates.items() for one in _rows(found, attack, len(runs))]
    plain = [one for attack, values in by.items() for one in _rows(lira.rates(values, inside, seed), attack, len(runs))]
    risk = {"risk": lira.Risks(by[strongest], inside)}
    rows += _risk_rows(risk["risk"], "all", seed)
    if len(model_scores):
        risk["risk_model"] = lira.Risks(by[membership.DENOISING], inside)
        rows += _risk_rows(risk["risk_model"], membership.DENOISING, seed)
    risk = {name: one.of_individuals for name, one in risk.items()}
    individuals = first[["sample", "label"]].assign(runs=inside.sum(axis=0), **risk)
    individuals = individuals.sort_values(["risk", "sample"], ascending=[False, True], ignore_index=True)
    return Found(rows, plain, individuals, strongest)


def _rows(rates: lira.Rates, group: str, runs: int) -> list[dict]:
    return [
        row(metric, value, group=group, low=low, high=high, n=runs)
        for metric, (value, low, high) in zip(membership.RATES, rates, strict=True)
    ]


def _risk_rows(risks: lira.Risks, group: str, seed: int) -> list[dict]:
    found = zip(QUANTILES, risks.quantiles(list(QUANTILES.values()), seed), strict=True)
    n = len(risks.of_individuals)
    return [
        row("individual_risk", value, group=group, against=who, low=low, high=high, n=n)
        for who, (value, low, high) in found
    ]
