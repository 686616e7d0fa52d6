"""What a synthetic cohort discloses of training samples beside their membership.

The three risks that the Article 29 Working Party asks of anonymised data (Opinion 05/2014): inference, singling out and
linkability, as Anonymeter measures them (Giomi et al., PoPETs 2023:312). The same attack is tried on training and on
held-out samples, and what it reaches on these is no leak:

    risk = (success on training - success on held-out) / (1 - success on held-out)

- *inference*: who carries a rare allele, by the synthetic haplotypes that match best around the variant. A target is a
  haplotype (a sample where phase is unknown) and a variant. Of each variant there are a carrier and another one, both
  of training and both held-out, so that guessing "no" is right in half of the cases, and the sets differ in nothing but
  who was trained on: a synthetic cohort of other real samples has a risk of 0 on average;
- *singling out*: each synthetic sample gives a predicate, its genotypes at some random common variants. A training
  sample is singled out where it alone of all training samples fulfils one (Cohen & Nissim, PNAS 117:8344, 2020). How
  often that happens depends on how many samples there are, for which Anonymeter corrects by a model. Here a held-out
  sample stands in the place of a random training sample, among all the others: the numbers are equal;
- *linkability*: two parts of a sample's genome lead to the same synthetic sample, the nearest in both parts.

Beside them stand *private runs* (see `matches.private_runs`), *shared segments* with training samples as of identity by
descent (see `matches.shared_segments`; runs of equal alleles, as programs that look for such segments begin with, but
without an allowance for errors in genotypes), each beside those of held-out samples, and the alleles of a single
training sample that synthetic samples carry, too.
"""

import numpy as np

from syngeno import streams
from syngeno.data import genetic_map
from syngeno.data.cohort import Cohort
from syngeno.evaluate.metrics import mean_row, row, share_row
from syngeno.stats import intervals, matches, nearest

# By the number of training haplotypes with the rarer allele.
CARRIERS = {"1-2 carriers": (1, 2), "3-5 carriers": (3, 5), "6-20 carriers": (6, 20)}
TARGETS = 1000  # variants of a group, at most
FEWEST = 10  # variants of a group, or it says nothing
PREDICATES = (10, 20, 30)  # variants of a predicate
DRAWS = 20  # of these variants
COMMON = 0.05  # minor-allele frequency of variants of predicates, or more
LINKED = {"all": 1, "5 nearest": 5}  # in how many of the nearest of both parts the same one is looked for
# Runs of fewer training individuals point at them. Five is of the order of thresholds for counts in tables (Hundepool
# et al., Statistical Disclosure Control, 2012); the sampling rule of haplotype diffusion asks for more.
SHARED_BY = 5
QUANTILES = {"median": 0.5, "99 %": 0.99}  # of haplotypes, by their longest run; beside the largest
SEGMENTS = (1, 3, 5)  # centimorgans that shared segments are longer than, as studies of relatives have them

Share = tuple[float, int]  # of how many


def rows(synthetic: Cohort, train: Cohort, test: Cohort, *, seed: int, threads: int = 1) -> list[dict]:
    """Metric rows of all of them; the cohorts have the same variants, and their samples stand in canonical order."""
    found = _inference_rows(synthetic, train, test, seed, threads) + _singling_out_rows(synthetic, train, test, seed)
    found += _linkability_rows(synthetic, train, test) + _one_carrier_rows(synthetic, train, test)
    if all(cohort.haplotypes is not None for cohort in (synthetic, train, test)):
        for suffix, asked in (("", synthetic), ("_real", test)):
            found += _run_rows(f"private_run_cm{suffix}", asked, train) + _segment_rows(suffix, asked, train)
    return found


def risk(training: Share, heldout: Share) -> tuple[float, float, float]:
    """The risk by the success on training and on held-out samples, below 1, and its 95 % interval.

    As in Anonymeter, both successes have Wilson's interval, and their halves are propagated; that of the risk holds
    its value. It is below 0 where held-out samples are found more often.
    """
    (ours, our_half), (theirs, their_half) = (_middle(*one) for one in (training, heldout))
    middle = (ours - theirs) / (1 - theirs)
    half = np.hypot(our_half / (1 - theirs), (1 - ours) * their_half / (1 - theirs) ** 2)
    value = (training[0] - heldout[0]) / (1 - heldout[0])
    return value, float(min(value, middle - half)), float(min(1, max(value, middle + half)))


def _middle(share: float, n: int) -> tuple[float, float]:
    low, high = intervals.wilson(share, n)
    return (low + high) / 2, (high - low) / 2


def _risk_rows(attack: str, group: str, training: Share, heldout: Share) -> list[dict]:
    """Rows of both successes, and of the risk where held-out samples are not all found."""
    parts = (("train", training), ("test", heldout))
    found = [share_row(f"{attack}_success", *share, group, against) for against, share in parts]
    if heldout[0] < 1:
        value, low, high = risk(training, heldout)
        found.append(row(f"{attack}_risk", value, group=group, low=low, high=high, n=training[1]))
    return found


def _inference_rows(synthetic: Cohort, train: Cohort, test: Cohort, seed: int, threads: int) -> list[dict]:
    dosages = any(cohort.haplotypes is None for cohort in (synthetic, train, test))
    ours, theirs, others = (_sequences(cohort, dosages) for cohort in (train, test, synthetic))
    rare = np.minimum(train.count, 2 * len(train) - train.count)
    # The symbol of a sequence without the rarer allele: 0, or where REF is the rarer one that of ALT alone.
    common = np.where(train.frequency > 0.5, 2 if dosages else 1, 0).astype(np.int8)
    found = []
    for group, (least, most) in CARRIERS.items():
        rng = streams.rng("inference_targets", seed, least)
        variants = np.flatnonzero((rare >= least) & (rare <= most))
        carried = [sequences[:, variants] != common[variants] for sequences in (ours, theirs)]
        usable = np.all([one.any(axis=0) & ~one.all(axis=0) for one in carried], axis=0)
        if usable.sum() < FEWEST:
            continue
        chosen = rng.permutation(np.flatnonzero(usable))[:TARGETS]
        success = []
        for sequences, carries in zip((ours, theirs), carried, strict=True):
            rows_of = [
                rng.choice(np.flatnonzero(carries[:, one] == which)) for which in (True, False) for one in chosen
            ]
            guessed = matches.carried_by_best(
                sequences,
                np.array(rows_of),
                np.tile(variants[chosen], 2),
                others,
                common,
                train.contig,
                dosages=dosages,
                threads=threads,
            )
            right = guessed == np.repeat([True, False], len(chosen))
            success.append((float(right.mean()), len(right)))
        found += _risk_rows("inference", group, *success)
    return found


def _sequences(cohort: Cohort, dosages: bool) -> np.ndarray:
    """Haplotypes int8 (2 samples, variants), or dosages (samples, variants)."""
    return cohort.dosages if dosages else cohort.haplotypes.reshape(2 * len(cohort), -1)


def _singling_out_rows(synthetic: Cohort, train: Cohort, test: Cohort, seed: int) -> list[dict]:
    common = np.flatnonzero(np.minimum(train.frequency, 1 - train.frequency) >= COMMON)
    found = []
    for count in PREDICATES:
        if len(common) < count:
            continue
        success = []
        for draw in range(DRAWS):
            rng = streams.rng("singling_out_predicates", seed, count, draw)
            variants = rng.choice(common, count, replace=False)
            of_synthetic, of_train, of_test = (_codes(one.dosages[:, variants]) for one in (synthetic, train, test))
            naive = _codes(rng.binomial(2, train.frequency[variants], (len(synthetic), count)))
            replaced = of_train[rng.integers(len(train), size=len(test))]
            alone = [_how_many(of_train, of_train) == 1, _how_many(of_test, of_train) == (of_test == replaced)]
            tried = ((0, of_train, of_synthetic), (1, of_test, of_synthetic), (0, of_train, naive))
            success.append([(alone[whose] & np.isin(asked, known)).mean() for whose, asked, known in tried])
        ours, theirs, naive = np.mean(success, axis=0).tolist()
        group = f"{count} variants"
        found += _risk_rows("singling_out", group, (ours, len(train)), (theirs, len(test)))
        found.append(share_row("singling_out_success", naive, len(train), group, "naive"))
    return found


def _codes(genotypes: np.ndarray) -> np.ndarray:
    """Genotypes (n, variants) as a number each; up to 39 variants."""
    return genotypes @ 3 ** np.arange(genotypes.shape[1], dtype=np.int64)


def _how_many(codes: np.ndarray, among: np.ndarray) -> np.ndarray:
    """How many of the others have each code."""
    among = np.sort(among)
    return np.searchsorted(among, codes, "right") - np.searchsorted(among, codes, "left")


def _linkability_rows(synthetic: Cohort, train: Cohort, test: Cohort) -> list[dict]:
    first = _first_part(train)
    if first.all() or not first.any():
        return []
    most = min(max(LINKED.values()), len(synthetic))
    parts = [(part, synthetic.dosages[:, part]) for part in (first, ~first)]
    to = [[nearest.find(one.dosages[:, part], of, "l1", count=most)[1] for part, of in parts] for one in (train, test)]
    found = []
    for group, count in LINKED.items():
        linked = [(one[:, :count, None] == other[:, None, :count]).any(axis=(1, 2)) for one, other in to]
        found += _risk_rows("linkability", group, *((float(one.mean()), len(one)) for one in linked))
    return found


def _first_part(cohort: Cohort) -> np.ndarray:
    """One of two parts of the genome, bool (variants,): every other chromosome, or the first half of a single one."""
    starts = np.r_[False, cohort.contig[1:] != cohort.contig[:-1]]
    if starts.any():
        return np.cumsum(starts) % 2 == 0
    cm = _places(cohort)
    return cm < (cm[0] + cm[-1]) / 2


def _places(cohort: Cohort) -> np.ndarray:
    return cohort.cm if cohort.cm is not None else genetic_map.places(cohort.contig, cohort.position)


def _run_rows(metric: str, asked: Cohort, train: Cohort) -> list[dict]:
    """Quantiles over haplotypes of the longest private run of each, with distribution-free intervals."""
    longest, cm = np.zeros(2 * len(asked)), _places(train)
    for name in np.unique(train.contig):
        here = train.contig == name
        ours, theirs = (_sequences(one, False)[:, here] for one in (asked, train))
        individual = np.repeat(np.arange(len(train)), 2)
        longest = np.maximum(longest, matches.private_runs(ours, theirs, individual, SHARED_BY, cm[here]))
    return _quantile_rows(metric, longest)


def _quantile_rows(metric: str, longest: np.ndarray) -> list[dict]:
    n = len(longest)
    found = [row(metric, longest.max(), group="largest", against="train", n=n)]
    for group, share in QUANTILES.items():
        half = intervals.Z * np.sqrt(share * (1 - share) / n)
        low, value, high = np.quantile(longest, np.clip([share - half, share, share + half], 0, 1))
        found.append(row(metric, value, group=group, against="train", low=low, high=high, n=n))
    return found


def _segment_rows(suffix: str, asked: Cohort, train: Cohort) -> list[dict]:
    """Segments of a pair of haplotypes, one of them a training sample's, and the longest segment of each haplotype.

    Numbers of segments are per 1,000 pairs, so that they do not depend on how many training samples there are. Lengths
    that no chromosome has are left out: that no segment is so long says nothing there.
    """
    cm, contigs = _places(train), np.unique(train.contig)
    reach = max(np.ptp(cm[train.contig == name]) for name in contigs)
    longer_than = [length for length in SEGMENTS if length < reach]
    counts, longest = np.zeros((len(longer_than), 2 * len(asked))), np.zeros(2 * len(asked))
    for name in contigs:
        here = train.contig == name
        ours, theirs = (_sequences(one, False)[:, here] for one in (asked, train))
        here_counts, here_longest = matches.shared_segments(ours, theirs, longer_than, cm[here])
        counts, longest = counts + here_counts, np.maximum(longest, here_longest)
    of_samples = 1000 * counts.reshape(len(longer_than), len(asked), 2).mean(axis=2) / (2 * len(train))
    found = [
        mean_row(f"shared_segments{suffix}", values, f"longer than {length} cM", "train")
        for length, values in zip(longer_than, of_samples, strict=True)
    ]
    return found + _quantile_rows(f"longest_segment_cm{suffix}", longest)


def _one_carrier_rows(synthetic: Cohort, train: Cohort, test: Cohort) -> list[dict]:
    """The share of the alleles that one real sample alone carries, a training or a test sample, which come again.

    Whose sample it is tells nothing of an allele that was drawn without it: then both shares are alike.
    """
    drawn, *real = (
        np.concatenate([(one.dosages != without).sum(axis=0) for without in (0, 2)]) for one in (synthetic, train, test)
    )
    rows = []
    for part, own, other in (("train", *real), ("test", *reversed(real))):
        again = drawn[(own == 1) & (other == 0)] > 0
        if len(again):
            rows.append(share_row("one_carrier_alleles", float(again.mean()), len(again), "all", part))
        else:
            rows.append(row("one_carrier_alleles", 0, against=part, n=0))
    return rows
