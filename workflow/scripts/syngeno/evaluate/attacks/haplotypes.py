"""Membership attacks along haplotypes, which find stretches of training samples where no whole sample is copied.

Each looks at the synthetic samples and at a reference, real samples that were never trained on, and gives a sample a
score, higher for a likelier training sample, the sum over its haplotypes (its dosages where phase is unknown):

- *run length*: at each variant the longest run of equal alleles that ends there and that a synthetic haplotype shares,
  over the longest that a haplotype of the reference shares: the sum of log ratios (unphased: runs without opposite
  homozygotes);
- *windows*: the sum over windows of the log ratio of the distance to the nearest haplotype of the reference to that to
  the nearest synthetic one; windows of `matches.WINDOW` variants, and windows of `LENGTH` centimorgans;
- *painting*: of how much of the synthetic cohort a sample's haplotypes are the best match, among all samples that are
  asked about; ties share;
- *posterior painting*: the same by the probability that a synthetic haplotype is copied from a sample's, as a mosaic of
  the haplotypes of its label that are asked about;
- *likelihood*: the log ratio of the probability as a mosaic of the label's synthetic haplotypes to that as a mosaic of
  the label's reference (Li & Stephens, Genetics 165:2213, 2003).

All of them count what is added to the synthetic cohort, canaries or a larger release, at little further cost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from syngeno.data import genetic_map
from syngeno.data.cohort import Cohort
from syngeno.evaluate.membership import Pair
from syngeno.stats import copying, matches

LENGTH = 0.3
LEAST = 10  # variants of a window of centimorgans
PANEL = 500  # haplotypes of a label that mosaics are made of, at most
REFERENCE = "reference"


@dataclass(frozen=True, eq=False)
class _Sequences:
    """Sequences int8 (n, variants) with a label each: those `asked` about, training samples' first, and the `others`.

    `part` (others,) are indices into the names of `shown`: those parts that each of what is released consists of, and
    the reference.
    """

    asked: np.ndarray
    asked_label: np.ndarray
    others: np.ndarray
    label: np.ndarray
    part: np.ndarray
    shown: dict[str, list[int]]
    dosages: bool

    @property
    def released(self) -> list[str]:
        return [name for name in self.shown if name != REFERENCE]

    def rows(self, name: str) -> np.ndarray:
        """Which of the others are shown, bool (others,)."""
        return np.isin(self.part, self.shown[name])


def scores(
    training: Cohort,
    heldout: Cohort,
    reference: Cohort,
    synthetic: Cohort,
    added: Mapping[str, Cohort],
    shares: Sequence[float] = (),
    threads: int = 1,
) -> dict[str, dict[str, Pair]]:
    """Scores by attack, of the training and the held-out samples, by what is released.

    That is the synthetic cohort, "", each of those `added` (canaries) beside it, by its name, and the first samples of
    the synthetic cohort alone, by their `shares` of it as text.
    """
    ends = [len(first_share(share, len(synthetic))) for share in sorted(shares)] + [len(synthetic)]
    divided = [synthetic.take(np.arange(*bounds)) for bounds in zip([0, *ends[:-1]], ends, strict=True)]
    parts = [reference, *divided, *added.values()]
    whole = list(range(1, 1 + len(divided)))
    shown = {REFERENCE: [0], "": whole} | {name: [*whole, number] for number, name in enumerate(added, whole[-1] + 1)}
    shown |= {f"{share:g}": whole[: number + 1] for number, share in enumerate(sorted(shares))}
    asked = (training, heldout)
    dosages = any(cohort.haplotypes is None for cohort in (*asked, *parts))
    each = 1 if dosages else 2
    data = _Sequences(
        *_joined(asked, each),
        *_joined(parts, each),
        part=np.repeat(np.arange(len(parts)), [each * len(cohort) for cohort in parts]),
        shown=shown,
        dosages=dosages,
    )
    cm = training.cm if training.cm is not None else genetic_map.places(training.contig, training.position)
    found = {"run_length": _run_lengths(data, training.contig, threads)}
    windows = matches.windows_by_count(training.contig, matches.WINDOW)
    found["painting"] = {name: np.zeros(len(data.asked)) for name in data.released}
    found["windows"] = _compared(data, windows, found["painting"])
    windows = [one for one in matches.windows_by_length(training.contig, cm, LENGTH) if one.stop - one.start >= LEAST]
    if windows:
        found["windows_cm"] = _compared(data, windows)
    found["painting_posterior"] = _painted(data, training.contig, cm, threads)
    found["likelihood"] = _likelihoods(data, training.contig, cm, threads)
    return {
        name: {attack: _of_samples(by[name], each, len(training)) for attack, by in found.items()}
        for name in data.released
    }


def first_share(share: float, samples: int) -> np.ndarray:
    """The first of the samples that are so large a `share` of all, one at least: their indices."""
    return np.arange(max(1, round(share * samples)))


def _joined(cohorts: Iterable[Cohort], each: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of all these samples, and their labels."""
    cohorts = list(cohorts)
    rows = [one.dosages if each == 1 else one.haplotypes.reshape(-1, one.dosages.shape[1]) for one in cohorts]
    return np.concatenate(rows), np.repeat(np.concatenate([one.label for one in cohorts]), each)


def _of_samples(of_sequences: np.ndarray, each: int, training: int) -> Pair:
    samples = of_sequences.reshape(-1, each).sum(axis=1)
    return samples[:training], samples[training:]


def _run_lengths(data: _Sequences, contig: np.ndarray, threads: int) -> dict[str, np.ndarray]:
    sets = np.stack([data.rows(name) for name in data.shown])
    total = np.zeros((len(sets), len(data.asked)))
    for name in np.unique(contig):
        here = contig == name
        total += matches.run_lengths(
            data.asked[:, here], data.others[:, here], sets, dosages=data.dosages, threads=threads
        )
    by = dict(zip(data.shown, total, strict=True))
    return {name: by[name] - by[REFERENCE] for name in data.released}


def _compared(
    data: _Sequences, windows: matches.Windows, painted: dict[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Scores by the distances in windows, by what is released; those by painting are added to what was `painted`."""
    ratio = {name: np.zeros(len(data.asked)) for name in data.released}
    parts = data.part.max() + 1
    for window in windows:
        nearest = np.full((parts, len(data.asked)), np.inf)
        best = np.zeros(nearest.shape)
        for rows, apart in matches.apart(data.asked[:, window], data.others[:, window]):
            for part in np.unique(data.part[rows]):
                own = apart[data.part[rows] == part]
                nearest[part] = np.minimum(nearest[part], own.min(axis=0))
                if painted is not None:
                    best[part] += matches.best(own)
        log = np.log(nearest + 0.5)
        for name in data.released:
            ratio[name] += log[0] - log[data.shown[name]].min(axis=0)
            if painted is not None:
                painted[name] += best[data.shown[name]].sum(axis=0)
    return ratio


def _painted(data: _Sequences, contig: np.ndarray, cm: np.ndarray, threads: int) -> dict[str, np.ndarray]:
    by = {name: np.zeros(len(data.asked)) for name in data.released}
    for label in np.unique(data.asked_label):
        asked = data.asked_label == label
        for part in range(1, data.part.max() + 1):  # all but the reference
            own = data.others[(data.label == label) & (data.part == part)]
            share = copying.painted(own, data.asked[asked], contig, cm, threads=threads)
            for name in data.released:
                if part in data.shown[name]:
                    by[name][asked] += share
    return by


def _likelihoods(data: _Sequences, contig: np.ndarray, cm: np.ndarray, threads: int) -> dict[str, np.ndarray]:
    apart = np.r_[np.inf, np.where(contig[1:] == contig[:-1], np.maximum(np.diff(cm), 0), np.inf)]
    by = {name: np.zeros(len(data.asked)) for name in data.shown}
    for label in np.unique(data.asked_label):
        asked = data.asked_label == label
        for name, total in by.items():
            own = np.flatnonzero(data.rows(name) & (data.label == label))
            # A label that is lacking there is compared with all others.
            own = own if len(own) else np.flatnonzero(data.rows(name))
            own = own[np.unique(np.linspace(0, len(own) - 1, min(len(own), PANEL)).round().astype(int))]
            leave = -np.expm1(-copying.SWITCHES * apart / len(own))
            total[asked] = copying.log_likelihoods(
                data.asked[asked], data.others[own], leave, copying.ERROR, threads=threads
            )
    return {name: by[name] - by[REFERENCE] for name in data.released}
