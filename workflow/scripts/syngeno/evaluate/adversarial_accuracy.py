"""Privacy: are synthetic people nearer to the training people than to people who were never seen?

Nearest-neighbour adversarial accuracy (AATS; Yale et al., Neurocomputing 416, 2020), ties counting one half,
in genotype space (L1 on dosages) and in the space of the block encoder (Euclidean, z-scored components).

*Full size*, the form that judges. S has as many people as train. For a training person t the vote is
[d(t, nearest in S) > d(t, nearest other in train)]; for a test person
[d(t, nearest in S) > d(t, nearest in train less one random person)], so that both look into sets of equal
size; for a synthetic person s it is [d(s, nearest in train) > d(s, nearest other in S)]. The means are
`aa_truth` against train and test, and `aa_syn`; `privacy_loss` = aa_truth(test) - aa_truth(train): 0 is
ideal, .5 is what verbatim copies score. The random person is not drawn: the vote is averaged over all whom
one could leave out.

*Yale's form* (`*_yale`), for comparison with publications: train and S thinned to the size of test, truth and
syn averaged, test less train. It is blind to much: copies that the thinning parts from their originals go
unseen.

Nearest neighbours as Kenneweg et al. (2025) count them: among a hundred people, by angle, in the encoder's space.

With so few people a share moves by .05 from draw to draw, so many draws are made where the paper made one; and a
synthetic person who is a real one counts as such, where the published search skipped pairs nearer than .001 and could
not see a copy. The angle between two people is as good as the distance between their latents at unit length.
"""

import logging

import numpy as np
import pandas as pd
from scipy import stats

from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate import metrics
from syngeno.evaluate.metrics import row, share_row
from syngeno.models.latent import encoder
from syngeno.stats import nearest

PEOPLE = ("synthetic", "train", "test")
# A loss is at most min(aa_truth(test), 1 - aa_truth(train)); where that is below this, it cannot show a leak.
SATURATED = 0.1

_Z = stats.norm.ppf(0.975)

log = logging.getLogger(__name__)


def measure(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    seed: int,
    encoder_space: bool = True,
    components: str | float = "paper",
    max_components: int = 8,
    yale_repeats: int = 5,
) -> list[dict]:
    """All privacy numbers of a synthetic cohort, as metric rows.

    Args:
        synthetic, train, test: cohorts over the same variants; `train` exactly the people the generator saw.
            A synthetic cohort larger than train is thinned to its size; against a smaller one train is
            thinned (the rows' `n` tells).
        seed: of all thinning.
        encoder_space: measure between encoded people too (group "encoder_space").
        components, max_components: of the encoder, which is fitted on `train` here (see `encoder.fit`).
        yale_repeats: random subsamples that Yale's form is averaged over.

    Raises:
        ValueError: the cohorts differ in their variants, or train or test has fewer than two people.
    """
    same_variants(synthetic, train, test)
    if min(len(synthetic), len(train), len(test)) < 2:
        raise ValueError("nearest neighbours need at least two people in each cohort")
    synthetic, train, test = (cohort.in_canonical_order() for cohort in (synthetic, train, test))

    fitted = None
    if encoder_space:
        fitted = encoder.fit(train.dosages, train.block, components, max_components, decodes=False)
    rng = np.random.default_rng([seed, 0])
    if len(synthetic) > len(train):
        synthetic = synthetic.take(_thin(rng, len(synthetic), len(train)))
    elif len(synthetic) < len(train):
        log.info("train is thinned from %d to %d people, as many as are synthetic", len(train), len(synthetic))
        train = train.take(_thin(rng, len(train), len(synthetic)))

    cohorts = (synthetic, train, test)
    genotypes = tuple(cohort.dosages for cohort in cohorts)
    votes = full_size(*genotypes, "l1")
    rows = _rows(votes, "all")
    if len(set(train.label)) > 1:
        for label in train.labels:
            of_label = [votes[i][cohort.label == label] for i, cohort in enumerate((train, test, synthetic))]
            rows += _rows(tuple(of_label), label)
    rows += _yale_rows(genotypes, "l1", "all", yale_repeats, seed)
    if fitted is not None:
        encoded = tuple(encoder.encode(fitted, cohort.dosages).reshape(len(cohort), -1) for cohort in cohorts)
        rows += _rows(full_size(*encoded, "euclidean"), "encoder_space")
        rows += _yale_rows(encoded, "euclidean", "encoder_space", yale_repeats, seed)
    return rows


def full_size(
    synthetic: np.ndarray, train: np.ndarray, test: np.ndarray, metric: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Votes of the training, the test and the synthetic people, each in [0, 1], float64 (people,).

    Args:
        synthetic, train: (n, D), the same number of people.
        test: (m, D).
        metric: of `neighbours`.
    """
    if len(synthetic) != len(train):
        raise ValueError(f"{len(synthetic)} synthetic and {len(train)} training people; thin the larger set")
    from_train, from_synthetic = nearest.nearest_both_ways(train, synthetic, metric)
    in_train = nearest.nearest(train, train, metric, exclude_self=True)
    in_synthetic = nearest.nearest(synthetic, synthetic, metric, exclude_self=True)
    to_synthetic = nearest.nearest(test, synthetic, metric)[:, 0]
    to_train = nearest.nearest(test, train, metric)
    # Leaving out one of n people hits the nearest in 1 of n cases; then the second nearest takes the place.
    out = 1 / len(train)
    of_test = (1 - out) * nearest.farther(to_synthetic, to_train[:, 0], metric)
    of_test += out * nearest.farther(to_synthetic, to_train[:, 1], metric)
    return (
        nearest.farther(from_train[:, 0], in_train[:, 0], metric),
        of_test,
        nearest.farther(from_synthetic[:, 0], in_synthetic[:, 0], metric),
    )


def yale(synthetic: np.ndarray, real: np.ndarray, metric: str) -> tuple[float, float]:
    """AA_truth and AA_syn between two sets of equal size, (n, D) each."""
    if len(synthetic) != len(real):
        raise ValueError(f"{len(synthetic)} synthetic and {len(real)} real people; Yale's form needs as many")
    from_real, from_synthetic = nearest.nearest_both_ways(real, synthetic, metric)
    in_real = nearest.nearest(real, real, metric, exclude_self=True)
    in_synthetic = nearest.nearest(synthetic, synthetic, metric, exclude_self=True)
    return (
        float(nearest.farther(from_real[:, 0], in_real[:, 0], metric).mean()),
        float(nearest.farther(from_synthetic[:, 0], in_synthetic[:, 0], metric).mean()),
    )


def _rows(votes: tuple[np.ndarray, np.ndarray, np.ndarray], group: str) -> list[dict]:
    """Full-size rows of one group; nothing that needs people of whom there are none."""
    of_train, of_test, of_synthetic = votes
    rows = []
    if len(of_train):
        rows.append(share_row("aa_truth", of_train.mean(), len(of_train), group, "train"))
    if len(of_test):
        rows.append(share_row("aa_truth", of_test.mean(), len(of_test), group, "test"))
    if len(of_synthetic):
        rows.append(share_row("aa_syn", of_synthetic.mean(), len(of_synthetic), group, "train"))
    if len(of_train) and len(of_synthetic):
        rows.append(_linear("aats", [(0.5, of_train), (0.5, of_synthetic)], group, "train"))
    if len(of_train) and len(of_test):
        rows.append(_linear("privacy_loss", [(1, of_test), (-1, of_train)], group, ""))
        blind = min(of_test.mean(), 1 - of_train.mean()) < SATURATED
        rows.append(row("aa_saturated", blind, group=group, n=len(of_train)))
    return rows


def _linear(metric: str, terms: list[tuple[float, np.ndarray]], group: str, against: str) -> dict:
    """A weighted sum of mean votes of different people with its normal interval."""
    value = sum(weight * votes.mean() for weight, votes in terms)
    n = min(len(votes) for _, votes in terms)
    half = np.nan
    if n > 1:
        half = _Z * np.sqrt(sum(weight**2 * votes.var(ddof=1) / len(votes) for weight, votes in terms))
    return row(metric, value, group=group, against=against, low=value - half, high=value + half, n=n)


def _yale_rows(
    spaces: tuple[np.ndarray, np.ndarray, np.ndarray], metric: str, group: str, repeats: int, seed: int
) -> list[dict]:
    size = min(len(people) for people in spaces)
    rng = np.random.default_rng([seed, 1])
    drawn: dict[str, list[tuple[float, float]]] = {"train": [], "test": []}
    for _ in range(repeats):
        ours, seen, fresh = (people[_thin(rng, len(people), size)] for people in spaces)
        drawn["train"].append(yale(ours, seen, metric))
        drawn["test"].append(yale(ours, fresh, metric))
    rows = []
    aats = {}
    for against, values in drawn.items():
        truth, syn = np.mean(values, axis=0)
        aats[against] = (truth + syn) / 2
        rows.append(share_row("aa_truth_yale", truth, size, group, against))
        rows.append(share_row("aa_syn_yale", syn, size, group, against))
        rows.append(row("aats_yale", aats[against], group=group, against=against, n=size))
    rows.append(row("privacy_loss_yale", aats["test"] - aats["train"], group=group, n=size))
    return rows


def _thin(rng: np.random.Generator, people: int, size: int) -> np.ndarray:
    """Indices of `size` of so many people, in order."""
    return np.sort(rng.choice(people, size, replace=False))


PROTOCOL = "paper"


def measure_few(
    synthetic: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    validation: np.ndarray,
    *,
    people: int = 100,
    repeats: int = 20,
    seed: int,
    generator: str,
    fraction: int,
) -> pd.DataFrame:
    """aa_truth and aa_syn of latents (n, blocks, components) against train and test, as a metrics table.

    Each value is the mean over `repeats` draws of `people` people of each kind (as many as the smallest set has, where
    that is fewer; `n` says), low and high are their 2.5 and 97.5 percentiles: how far one draw may be off. Beside it,
    as the envelope, the same of as many real people: test people in the place of the synthetic ones against train,
    validation people against test. `generator`,
    `fraction` and `seed` say whose people they are. Raises ValueError for a set of fewer than two people.
    """
    pairs = {"train": (synthetic, train, test), "test": (synthetic, test, validation)}
    numbers = []
    for against, (ours, real, held) in pairs.items():
        count = min(people, len(ours), len(real), len(held))
        draws = (_few_draws(one, real, count, repeats, seed) for one in (ours, held))
        for metric, one, beside in zip(("aa_truth", "aa_syn"), *draws, strict=True):
            low, high = np.percentile(one, [2.5, 97.5])
            row = metrics.row(
                metric,
                one.mean(),
                group=f"{people} people",
                against=against,
                low=low,
                high=high,
                n=count,
            )
            real_low, real_high = np.percentile(beside, [2.5, 97.5])
            numbers.append(row | {"real": beside.mean(), "real_low": real_low, "real_high": real_high})
    return metrics.table(numbers, generator=generator, fraction=fraction, seed=seed, protocol=PROTOCOL)


def _few_draws(synthetic: np.ndarray, real: np.ndarray, count: int, repeats: int, seed: int) -> np.ndarray:
    """aa_truth and aa_syn of each draw, float64 (2, repeats)."""
    if count < 2:
        raise ValueError("nearest neighbours need at least two people of each kind")
    synthetic, real = _directions(synthetic), _directions(real)
    rng = np.random.default_rng([seed, 6])
    return np.array(
        [
            yale(*(one[rng.choice(len(one), count, replace=False)] for one in (synthetic, real)), "euclidean")
            for _ in range(repeats)
        ]
    ).T


def _directions(latents: np.ndarray) -> np.ndarray:
    """Latents at unit length, (n, blocks x components)."""
    flat = latents.reshape(len(latents), -1).astype(np.float64)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)
