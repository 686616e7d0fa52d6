"""How many ancestral haplotype clusters a cohort may have, as far as can be said without its genotypes.

Also read while the Snakefile is parsed, so only built-ins are used.
"""

import itertools

FEWEST, MOST = 16, 2048
UNVALIDATED = 256  # at most, where no validation samples say that more are better
COUNTS, BYTES = 1 << 27, 64  # of groups, in segments of a chromosome, in clusters; what each takes in memory


def most(haplotypes: int, cells: int = 1) -> int:
    """How many clusters so many training haplotypes may have: one for each, as far as memory allows.

    `cells` are the groups with weights of their own, times the segments of the chromosome that has most.
    """
    return max(FEWEST, min(haplotypes, MOST, COUNTS // cells))


def suitable(haplotypes: int, cells: int = 1) -> int:
    """How many there are where no validation samples choose: a power of two, four haplotypes or more for each."""
    limit = min(haplotypes // 4, UNVALIDATED, COUNTS // cells)
    return max(FEWEST, 1 << max(limit, 1).bit_length() - 1)


def doubled(last: int) -> list[int]:
    """The numbers that are tried, each twice the one before, up to the last."""
    return [*itertools.takewhile(lambda number: number < last, (FEWEST << i for i in itertools.count())), last]
