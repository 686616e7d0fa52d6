"""How many ancestral haplotype clusters a cohort may have, as far as can be said without its genotypes.

Also read while the Snakefile is parsed, so only built-ins are used.
"""

FEWEST, MOST = 16, 256


def most(haplotypes: int) -> int:
    """How many clusters so many training haplotypes may have, a power of two: of more, drawn samples reveal more."""
    return max(FEWEST, _power_of_two(min(haplotypes, MOST)))


def suitable(haplotypes: int) -> int:
    """How many there are where no validation samples choose: four haplotypes or more for each."""
    return max(FEWEST, _power_of_two(min(haplotypes // 4, MOST)))


def _power_of_two(limit: int) -> int:
    """The largest that is no more than a limit."""
    return 1 << max(limit, 1).bit_length() - 1
