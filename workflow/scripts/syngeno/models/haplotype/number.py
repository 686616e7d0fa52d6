"""How many ancestral haplotype clusters suit a cohort.

Also read while the Snakefile is parsed, so only built-ins are used.
"""

FEWEST, MOST = 16, 256


def suitable(haplotypes: int) -> int:
    """How many clusters suit so many training haplotypes: a power of two, four haplotypes or more for each cluster."""
    return min(max(1 << max(haplotypes // 4, 1).bit_length() - 1, FEWEST), MOST)
