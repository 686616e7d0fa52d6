"""The power of the attacks: which of them can see a training person in a synthetic cohort, and which cannot.

An attack that finds nothing has shown nothing until it finds what is known to be there. Each attack is run on
the generator's people, and again after some of them were replaced by training people (plants). It has power
where the difference in true-positive rate at 1 % false positives, paired over the same people, has an interval
above 0. An attack on the trained model itself has no plants to see: they come after the training.
"""

import pandas as pd

from syngeno.evaluate.membership import FALSE_POSITIVES

ATTACKS = {
    "distance": "distance",
    "distance_ratio": "distance ratio",
    "density_ratio": "density ratio",
    "frequency_ratio": "frequency ratio",
    "denoising_loss": "denoising loss",
}
PLANTED = "planted"  # how the variant of an audit with plants begins: "planted 5 %"

SEES = "sees the plants"
POWERLESS = "without power here"
KNOWS = "without power here: it knows members without plants"
UNTRIED = "not tried with plants"


def power(metrics: pd.DataFrame) -> pd.DataFrame:
    """What each attack said of each generator without and with plants, a row per generator and attack.

    Args:
        metrics: a metrics table.

    Returns:
        Columns generator, fraction, seed, attack; `auc`, `tpr` (at 1 % false positives, without plants),
        `planted` (the same rate with plants) and `gain` (their paired difference), each with `_low` and
        `_high`; `sees` (bool) and `verdict`. Seeds one by one; generators in the order of the table.
    """
    single = metrics[(metrics["seed"] != "all") & (metrics["protocol"] == "ours") & metrics["group"].isin(ATTACKS)]
    planted = single["variant"].str.startswith(PLANTED)
    parts = {
        "auc": single[(single["metric"] == "membership_auc") & (single["variant"] == "")],
        "tpr": single[(single["metric"] == "membership_tpr_at_1pct") & (single["variant"] == "")],
        "planted": single[(single["metric"] == "membership_tpr_at_1pct") & planted],
        "gain": single[(single["metric"] == "membership_tpr_gain") & planted],
    }
    key = ["generator", "fraction", "seed", "group"]
    table = parts["auc"][key]
    for name, part in parts.items():
        renamed = {"value": name, "low": f"{name}_low", "high": f"{name}_high"}
        table = table.merge(part[[*key, *renamed]].rename(columns=renamed), on=key, how="left")
    table = table.rename(columns={"group": "attack"})
    table["sees"] = table["gain_low"] > 0
    table["verdict"] = [_verdict(one) for one in table.itertuples()]
    return table


def unseen(metrics: pd.DataFrame) -> set[tuple[str, int]]:
    """(generator, fraction) on which no attack on the synthetic people saw its plants, nor any member."""
    tried = power(metrics)
    tried = tried[(tried["attack"] != "denoising_loss") & tried["gain"].notna()]
    return {
        subject
        for subject, part in tried.groupby(["generator", "fraction"], sort=False)
        if (part["verdict"] == POWERLESS).all()
    }


def _verdict(one: object) -> str:
    if pd.isna(one.gain):
        return UNTRIED
    if one.gain_low > 0:
        return SEES
    # Where every member is already known, plants cannot add to it: the difference is blind, the attack is not.
    return KNOWS if one.tpr_low > FALSE_POSITIVES else POWERLESS
