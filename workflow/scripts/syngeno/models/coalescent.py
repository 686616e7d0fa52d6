"""A simulated population that never saw the cohort, of which it takes the list of sites and nothing else.

Whatever an attack finds in such samples it would find without the cohort, so they are the floor of the risk. They know
no frequency, no linkage and no label of the cohort, so they are of no use.

One random-mating population of N diploid samples, N constant (`population_size`), is simulated by the coalescent with
recombination (Hudson 1983; msprime, Baumdicker et al., Genetics 2022), each chromosome along the genetic map from the
first site of the cohort to the last. At each site there is one mutation, on a branch of the site's tree that is drawn
by its length (a fixed number of segregating sites, as in Hudson's ms), again until its minor allele is as frequent as
`maf`, as a filter of variants would have it. ALT is what is derived. So linkage decays as in theory: common variants c
Morgans apart have in the mean about

    r2 = (10 + rho) / (22 + 13 rho + rho^2),    rho = 4 N c    (Ohta & Kimura 1971).

All shards simulate the same population, by the seed of the fit. A synthetic haplotype is a gamete of it: pieces of its
2 N haplotypes with one crossover per Morgan, each of them alike. So it is one generation on, which may be of any size:
samples are independent given the population, and two of different shards are as related as two of the same. All labels
are this one population.
"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from syngeno import streams
from syngeno.data import sequences
from syngeno.data.store import CHUNK
from syngeno.models import li_stephens
from syngeno.models.classical import Classical

if TYPE_CHECKING:
    import tskit

TRIES = 100  # mutations that are drawn for one as frequent as it should be


class Coalescent(Classical):
    """Gametes of a simulated population; `settings`: `population_size` and `maf`; chosen: `seed`, the population's."""

    name = "coalescent"

    def choose(self, seed: int) -> dict:
        """Nothing: the seed says which population all shards draw from."""
        return {"seed": seed}

    def draw(self, groups: sequences.Groups, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """See `Classical.draw`."""
        store, alleles = self.data.store, sequences.alphabet(self.data.store) - 1
        parents = np.zeros(2 * self.settings["population_size"], int)
        gametes = sequences.Groups(["all"], parents, np.zeros(alleles * len(groups.asked), int))
        switch = li_stephens.switch_probability(store, self.data.centimorgans, 1 / 100, np.ones(1))
        inherited = zip(self.population(), li_stephens.copied_templates(gametes, switch, rng), strict=True)
        symbols = (carried[parent].reshape(-1, alleles).sum(axis=1, dtype=np.int8) for carried, parent in inherited)
        for _ in range(0, len(store), CHUNK):
            yield np.stack(list(islice(symbols, CHUNK)))

    def population(self) -> Iterator[np.ndarray]:
        """Alleles of the population's 2 N haplotypes at each site, int8 (2 N,), in the store's order."""
        store, size = self.data.store, self.settings["population_size"]
        begins = np.flatnonzero(sequences.starts(store))
        for number, sites in enumerate(np.split(np.arange(len(store)), begins[1:])):
            rng = streams.rng("coalescent_population", self.chosen["seed"], number)
            position = store.position[sites]
            trees = ancestry(position, self.data.centimorgans[sites], size, int(rng.integers(1, 2**31)))
            tree, time = trees.first(), trees.nodes_time
            for offset in (position - position[0]).tolist():
                tree.seek(offset)
                yield mutation(tree, time, self.settings["maf"], rng)


def ancestry(position: np.ndarray, centimorgans: np.ndarray, size: int, seed: int) -> "tskit.TreeSequence":
    """The trees of all haplotypes of a population of `size` diploid samples, from the first position (V,) to the last.

    Coordinates are base pairs from the first position, crossovers fall by `centimorgans` (V,). Haplotypes are the nodes
    from 0 to 2 size - 1.
    """
    import msprime

    known, first = np.unique(position, return_index=True)
    offset = known - known[0]
    rate = np.diff(centimorgans[first]) / 100 / np.diff(offset)
    rates = msprime.RateMap(position=np.r_[offset, offset[-1] + 1], rate=np.r_[rate, 0])
    return msprime.sim_ancestry(size, population_size=size, recombination_rate=rates, random_seed=seed)


def mutation(tree: "tskit.Tree", time: np.ndarray, maf: float, rng: np.random.Generator) -> np.ndarray:
    """Which haplotypes of a tree carry a mutation, int8 (haplotypes,); `time` of all nodes.

    Its branch is drawn by length, again until the minor allele has a frequency of at least `maf`; where none of `TRIES`
    has, the most frequent of them is taken.
    """
    n = tree.num_samples()

    def minor(node: int) -> int:
        return min(tree.num_samples(node), n - tree.num_samples(node))

    nodes = tree.preorder()[1:]  # without the root, above which there is no branch
    length = np.cumsum(time[tree.parent_array[nodes]] - time[nodes])
    tried = nodes[np.searchsorted(length, rng.random(TRIES) * length[-1], side="right")].tolist()
    node = next((one for one in tried if minor(one) >= maf * n), None)
    node = max(tried, key=minor) if node is None else node
    below = tree.preorder(node)
    carried = np.zeros(n, dtype=np.int8)
    carried[below[below < n]] = 1
    return carried
