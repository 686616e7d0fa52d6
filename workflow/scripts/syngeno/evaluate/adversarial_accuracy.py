"""Privacy: are synthetic samples nearer to the training samples than to samples that were never trained on?

Nearest-neighbour adversarial accuracy (AATS; Yale et al., Neurocomputing 416, 2020), ties counting one half,
in genotype space (L1 on dosages) and in the space of the block encoder (Euclidean, z-scored components).

*Full size*, the form that judges. S has as many samples as train. For a training sample t the vote is
[d(t, nearest in S) > d(t, nearest other in train)]; for a test sample
[d(t, nearest in S) > d(t, nearest in train less one random sample)], so that both look into sets of equal
size; for a synthetic sample s it is [d(s, nearest in train) > d(s, nearest other in S)]. The means are
`aa_truth` against train and test, and `aa_syn`; `privacy_loss` = aa_truth(test) - aa_truth(train): 0 is
ideal, .5 is what verbatim copies score. The random sample is not drawn: the vote is averaged over all that
one could leave out.

*Yale's form* (`*_yale`), for comparison with publications: train and S thinned to the size of test, truth and
syn averaged, test less train. It is blind to much: duplicates whose originals the thinning leaves out go
undetected.

*Among a hundred samples*, by angle in the encoder's space, as Kenneweg et al. (2025) count neighbours. With so few
samples a share moves by .05 from draw to draw, so many draws are made where the paper made one; and a synthetic sample
that is a real one counts as such, where the published search skipped pairs nearer than .001 and could not detect a
duplicate. The angle between two samples is as good as the distance between their latents at unit length.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from syngeno import streams
from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate import neighbours
from syngeno.evaluate.metrics import row, share_row
from syngeno.evaluate.neighbours import Neighbours
from syngeno.models.latent import encoder
from syngeno.stats import nearest
from syngeno.stats.intervals import Z

# The real cohorts that `reference` and `measure` take.
COHORTS = ("train", "test")
# A loss is at most min(aa_truth(test), 1 - aa_truth(train)); where that is below this, it cannot show a leak.
SATURATED = 0.1

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Reference:
    """What depends on real samples alone, in the encoder's space; all empty where that is not asked for.

    Attributes:
        encoder: the arrays of the `encoder.Encoder` that is fitted on train.
        latents: of "train" and "test", float32 (samples, entries), in canonical order.
        distances, rows: of the two nearest, by "train, train" and "test, train" (see `neighbours.Neighbours`).
    """

    encoder: dict[str, np.ndarray]
    latents: dict[str, np.ndarray]
    distances: dict[str, np.ndarray]
    rows: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Space:
    """Cohorts in one space, rows (n, D) by name, and the metric of `nearest`.

    `found` is, by pairs of names, what `nearest.find` gave of all rows of both (of one and the same: itself left out).
    """

    cohorts: Mapping[str, np.ndarray]
    metric: str
    found: Mapping[tuple[str, str], nearest.Found]

    def nearest(self, one: str, rows: np.ndarray, other: str, kept: np.ndarray) -> np.ndarray:
        """Distances of some rows of one cohort to the two nearest of some rows of another, float64 (rows, 2)."""
        same, (a, b) = one == other, (self.cohorts[one], self.cohorts[other])
        if (one, other) in self.found:
            return nearest.among(self.found[one, other], a, rows, b, kept, self.metric, same)
        return nearest.nearest(a[rows], b[kept], self.metric, exclude_self=same)

    def votes(self, one: str, rows: np.ndarray, other: str, kept: np.ndarray) -> np.ndarray:
        """Of each of these rows, whether the nearest of the other cohort is farther than the nearest of its own."""
        to_other, to_own = self.nearest(one, rows, other, kept), self.nearest(one, rows, one, rows)
        return nearest.farther(to_other[:, 0], to_own[:, 0], self.metric)


def reference(
    train: Cohort, test: Cohort, *, encoder_space: bool, components: str | float, max_components: int, **_: object
) -> Reference:
    """What `measure` needs of real samples, with the same settings; no seed changes it."""
    if not encoder_space:
        return Reference({}, {}, {}, {})
    train, test = train.in_canonical_order(), test.in_canonical_order()
    fitted = encoder.fit(train.dosages, train.block, components, max_components, decodes=False)
    latents = {name: _encoded(fitted, cohort) for name, cohort in (("train", train), ("test", test))}
    found = {
        "train, train": nearest.find(latents["train"], latents["train"], "euclidean", exclude_self=True),
        "test, train": nearest.find(latents["test"], latents["train"], "euclidean"),
    }
    distances, rows = ({pair: both[part] for pair, both in found.items()} for part in (0, 1))
    return Reference(vars(fitted), latents, distances, rows)


def measure(
    synthetic: Cohort,
    train: Cohort,
    test: Cohort,
    *,
    seed: int,
    encoder_space: bool,
    yale_repeats: int,
    real: Reference | None = None,
    among_real: Neighbours | None = None,
    to_real: Neighbours | None = None,
    **encoding: object,
) -> list[dict]:
    """All privacy numbers of a synthetic cohort, as metric rows.

    Args:
        synthetic, train, test: cohorts over the same variants, of at least two samples (else ValueError); `train`
            exactly the samples the generator was trained on. A synthetic cohort larger than train is thinned to its
            size; against a smaller one train is thinned (see the rows' `n`).
        seed: of all thinning.
        encoder_space: measure between encoded samples too (group "encoder_space").
        yale_repeats: random subsamples that Yale's form is averaged over.
        real: what `reference` gave for train and test; computed here where it is absent, as are
        among_real, to_real: what `neighbours.reference` and `neighbours.measure` gave for these cohorts.
        encoding: `components` and `max_components` of `encoder.fit`.
    """
    cohorts = {"synthetic": synthetic, "train": train, "test": test}
    same_variants(*cohorts.values())
    if min(map(len, cohorts.values())) < 2:
        raise ValueError("nearest neighbours need at least two samples in each cohort")
    cohorts = {name: cohort.in_canonical_order() for name, cohort in cohorts.items()}
    known = among_real or neighbours.reference(cohorts["train"], cohorts["test"])
    known_synthetic = to_real or neighbours.measure(**cohorts)
    found = {
        tuple(pair.split(", ")): one.of(*pair.split(", ")) for one in (known, known_synthetic) for pair in one.rows
    }
    space = Space({name: cohort.dosages for name, cohort in cohorts.items()}, "l1", found)

    chosen = {name: np.arange(len(cohort)) for name, cohort in cohorts.items()}
    rng = streams.rng("adversarial_accuracy_thinning", seed)
    if len(synthetic) > len(train):
        chosen["synthetic"] = _thin(rng, len(synthetic), len(train))
    elif len(synthetic) < len(train):
        log.info("train is thinned from %d to %d samples, as many as are synthetic", len(train), len(synthetic))
        chosen["train"] = _thin(rng, len(train), len(synthetic))

    votes = full_size(space, chosen)
    rows = _rows(votes, "all")
    labels = {name: cohorts[name].label[chosen[name]] for name in chosen}
    if len(set(labels["train"])) > 1:
        for label in sorted(set(labels["train"].tolist())):
            rows += _rows({name: votes[name][labels[name] == label] for name in votes}, label)
    rows += _yale_rows(space, chosen, "all", yale_repeats, seed)
    if encoder_space:
        real = real or reference(cohorts["train"], cohorts["test"], encoder_space=True, **encoding)
        latents = real.latents | {"synthetic": _encoded(encoder.Encoder(**real.encoder), cohorts["synthetic"])}
        found = {tuple(pair.split(", ")): (real.distances[pair], real.rows[pair]) for pair in real.rows}
        space = Space(latents, "euclidean", found)
        rows += _rows(full_size(space, chosen), "encoder_space")
        rows += _yale_rows(space, chosen, "encoder_space", yale_repeats, seed)
    return rows


def full_size(space: Space, chosen: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Votes of the "train", "test" and "synthetic" samples, each in [0, 1], float64 (samples,).

    `chosen` are indices of those that take part, as many synthetic as training samples.
    """
    train, test, synthetic = (chosen[name] for name in ("train", "test", "synthetic"))
    if len(synthetic) != len(train):
        raise ValueError(f"{len(synthetic)} synthetic and {len(train)} training samples; thin the larger set")
    to_synthetic = space.nearest("test", test, "synthetic", synthetic)[:, 0]
    to_train = space.nearest("test", test, "train", train)
    # Leaving out one of n samples hits the nearest in 1 of n cases; then the second nearest takes the place.
    out = 1 / len(train)
    of_test = (1 - out) * nearest.farther(to_synthetic, to_train[:, 0], space.metric)
    of_test += out * nearest.farther(to_synthetic, to_train[:, 1], space.metric)
    of_train = space.votes("train", train, "synthetic", synthetic)
    return {"train": of_train, "test": of_test, "synthetic": space.votes("synthetic", synthetic, "train", train)}


def yale(space: Space, synthetic: np.ndarray, real: str, rows: np.ndarray) -> tuple[float, float]:
    """AA_truth and AA_syn between as many chosen "synthetic" samples and rows of a real cohort."""
    of_real = space.votes(real, rows, "synthetic", synthetic)
    return float(of_real.mean()), float(space.votes("synthetic", synthetic, real, rows).mean())


def _encoded(fitted: encoder.Encoder, cohort: Cohort) -> np.ndarray:
    return encoder.encode(fitted, cohort.dosages).reshape(len(cohort), -1)


def _rows(votes: Mapping[str, np.ndarray], group: str) -> list[dict]:
    """Full-size rows of one group; nothing that needs samples of which there are none."""
    of_train, of_test, of_synthetic = (votes[name] for name in ("train", "test", "synthetic"))
    rows = [
        share_row(metric, part.mean(), len(part), group, against)
        for metric, part, against in (
            ("aa_truth", of_train, "train"),
            ("aa_truth", of_test, "test"),
            ("aa_syn", of_synthetic, "train"),
        )
        if len(part)
    ]
    if len(of_train) and len(of_synthetic):
        rows.append(_linear("aats", [(0.5, of_train), (0.5, of_synthetic)], group, "train"))
    if len(of_train) and len(of_test):
        rows.append(_linear("privacy_loss", [(1, of_test), (-1, of_train)], group, ""))
        blind = min(of_test.mean(), 1 - of_train.mean()) < SATURATED
        rows.append(row("aa_saturated", blind, group=group, n=len(of_train)))
    return rows


def _linear(metric: str, terms: list[tuple[float, np.ndarray]], group: str, against: str) -> dict:
    """A weighted sum of mean votes of different samples with its normal interval."""
    value = sum(weight * votes.mean() for weight, votes in terms)
    n = min(len(votes) for _, votes in terms)
    half = np.nan
    if n > 1:
        half = Z * np.sqrt(sum(weight**2 * votes.var(ddof=1) / len(votes) for weight, votes in terms))
    return row(metric, value, group=group, against=against, low=value - half, high=value + half, n=n)


def _yale_rows(space: Space, chosen: Mapping[str, np.ndarray], group: str, repeats: int, seed: int) -> list[dict]:
    size = min(len(rows) for rows in chosen.values())
    rng = streams.rng("adversarial_accuracy_yale", seed)
    drawn: dict[str, list[tuple[float, float]]] = {"train": [], "test": []}
    for _ in range(repeats):
        thinned = {name: rows[_thin(rng, len(rows), size)] for name, rows in chosen.items()}
        for against, values in drawn.items():
            values.append(yale(space, thinned["synthetic"], against, thinned[against]))
    rows, aats = [], {}
    for against, values in drawn.items():
        truth, syn = np.mean(values, axis=0)
        aats[against] = (truth + syn) / 2
        rows.append(share_row("aa_truth_yale", truth, size, group, against))
        rows.append(share_row("aa_syn_yale", syn, size, group, against))
        rows.append(row("aats_yale", aats[against], group=group, against=against, n=size))
    return [*rows, row("privacy_loss_yale", aats["test"] - aats["train"], group=group, n=size)]


def _thin(rng: np.random.Generator, samples: int, size: int) -> np.ndarray:
    """Indices of `size` of so many samples, in order."""
    return np.sort(rng.choice(samples, size, replace=False))


def measure_few(
    synthetic: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    validation: np.ndarray,
    *,
    samples: int,
    repeats: int,
    seed: int,
) -> list[dict]:
    """aa_truth and aa_syn of latents (n, blocks, components) against train and test, as metric rows.

    Each value is the mean over `repeats` draws of so many `samples` of each kind (as many as the smallest set has,
    where that is fewer; `n` says), low and high are their 2.5 and 97.5 percentiles: how far one draw may be off. Beside
    it, as the envelope, the same of as many real samples: test samples in the place of the synthetic ones against
    train, validation samples against test. Raises ValueError for a set of fewer than two samples.
    """
    pairs = {"train": (synthetic, train, test), "test": (synthetic, test, validation)}
    rows = []
    for against, (ours, real, held) in pairs.items():
        count = min(samples, len(ours), len(real), len(held))
        draws = (_few_draws(candidates, real, count, repeats, seed) for candidates in (ours, held))
        for metric, values, beside in zip(("aa_truth", "aa_syn"), *draws, strict=True):
            low, high = np.percentile(values, [2.5, 97.5])
            real_low, real_high = np.percentile(beside, [2.5, 97.5])
            number = {"group": f"{samples} samples", "against": against, "low": low, "high": high, "n": count}
            envelope = {"real": beside.mean(), "real_low": real_low, "real_high": real_high}
            rows.append(row(metric, values.mean(), **number) | envelope)
    return rows


def _few_draws(synthetic: np.ndarray, real: np.ndarray, count: int, repeats: int, seed: int) -> np.ndarray:
    """aa_truth and aa_syn of each draw, float64 (2, repeats)."""
    if count < 2:
        raise ValueError("nearest neighbours need at least two samples of each kind")
    space = Space({"synthetic": _directions(synthetic), "real": _directions(real)}, "euclidean", {})
    rng = streams.rng("neighbours_among_few", seed)
    draws = []
    for _ in range(repeats):
        ours, theirs = (rng.choice(len(rows), count, replace=False) for rows in (synthetic, real))
        draws.append(yale(space, ours, "real", theirs))
    return np.array(draws).T


def _directions(latents: np.ndarray) -> np.ndarray:
    """Latents at unit length, (n, blocks x components)."""
    flat = latents.reshape(len(latents), -1).astype(np.float64)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)
