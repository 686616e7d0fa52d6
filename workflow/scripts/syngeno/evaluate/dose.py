"""The dose: the more synthetic samples an attacker has, the more they tell of training samples.

Parts of a release are attacked, and many times as many samples as it has, which were drawn from the same model. The
attacks are those along haplotypes and that by allele frequencies, whose scores are sums over chromosomes: so one
chromosome at a time is in memory, however many samples there are. Distances of whole samples are left out.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate import membership
from syngeno.evaluate.attacks import haplotypes
from syngeno.evaluate.attacks import samples as whole_samples
from syngeno.evaluate.membership import Pair
from syngeno.evaluate.metrics import row


def measure(
    synthetic: Iterable[Cohort], train: Cohort, test: Cohort, validation: Cohort, doses: Sequence[int], threads: int = 1
) -> list[dict]:
    """Rows `membership_auc_by_dose`, of the release, and of so many times its samples as each of the `doses` says.

    `synthetic` are the samples of the largest dose, those of the release first, on one contig after the other; the real
    cohorts have all contigs. Raises ValueError where a contig has other variants than theirs.
    """
    doses = sorted({1, *doses})
    shares = [dose / doses[-1] for dose in doses[:-1]]
    # As `haplotypes.scores` names them, the largest last.
    known_as = dict(zip([*(f"{share:g}" for share in shares), ""], doses, strict=True))
    total: dict[int, dict[str, Pair]] = {dose: {} for dose in doses}
    for drawn in synthetic:
        here = np.isin(train.contig, drawn.contig)
        *real, reference = (cohort.at(here) for cohort in (train, test, validation))
        same_variants(drawn, *real, reference)
        along = haplotypes.scores(*real, reference, drawn, {}, shares, threads)
        for name, dose in known_as.items():
            known = drawn.take(haplotypes.first_share(dose / doses[-1], len(drawn)))
            for attack, pair in with_frequencies(along[name], (real[0], real[1]), reference, known).items():
                before = total[dose].get(attack, (0, 0))
                total[dose][attack] = (before[0] + pair[0], before[1] + pair[1])
    names = {dose: f"{dose} times the synthetic samples" for dose in doses} | {1: "the synthetic samples"}
    return [strongest_row(total[dose], names[dose]) for dose in doses]


def with_frequencies(
    along: Mapping[str, Pair], real: tuple[Cohort, Cohort], reference: Cohort, synthetic: Cohort
) -> dict[str, Pair]:
    """Scores along haplotypes, with those by the frequencies of the synthetic samples that an attacker has."""
    return {**along, "frequency_ratio": tuple(whole_samples.frequency_ratio(one, synthetic, reference) for one in real)}


def strongest_row(scores: Mapping[str, Pair], group: str) -> dict:
    """The area of the strongest of these attacks."""
    _, (value, low, high) = membership.strongest(scores)
    n = len(next(iter(scores.values()))[0])
    return row("membership_auc_by_dose", value, group=group, low=low, high=high, n=n)
