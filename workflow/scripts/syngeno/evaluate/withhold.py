"""Whom to keep back from release: copies of training people, and those at the highest risk."""

import math

import numpy as np
import pandas as pd

COLUMNS = ("sample", "risk", "why")
WHY = {"exact": "same genotypes as a training person", "near": "nearly the genotypes of a training person"}
RISKY = "among the nearest to training people"


def choose(people: pd.DataFrame, percent: float) -> pd.DataFrame:
    """Whom to withhold: sample, risk, why, in the order of the audit.

    `people` is the table of an audit (sample, distance, risk, kinship_max, listed). Whoever is listed as a copy goes,
    and besides the `percent` of all people (rounded up) with the highest risk; ties go by smaller distance, larger
    kinship, then id. The copies count among that percentage. Nothing of a real person is in the result. Raises
    ValueError for a percentage that is not from 0 to below 100.
    """
    if not 0 <= percent < 100:
        raise ValueError(f"{percent} percent to withhold; give 0 or more, below 100")
    order = np.lexsort((people["sample"], -people["kinship_max"], people["distance"], -people["risk"]))
    riskiest = np.zeros(len(people), dtype=bool)
    riskiest[order[: math.ceil(len(people) * percent / 100 - 1e-9)]] = True
    why = people["listed"].map(WHY).fillna(pd.Series(np.where(riskiest, RISKY, ""), index=people.index))
    return people.assign(why=why).loc[why != "", list(COLUMNS)].reset_index(drop=True)
