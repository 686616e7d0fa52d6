"""Local ancestry of synthetic samples: which ancestry each piece of their sequences was drawn from, as it is known.

A tract is as long a piece of a chromosome as is of one ancestry. It reaches from its first to its last variant: where
in the gap before the next one ancestry changes, the model does not say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from syngeno.data.store import Sites, Store

COLUMNS = ["sample", "haplotype", "contig", "start", "end", "ancestry"]
OF_BOTH = "."  # in place of a haplotype, where dosages were drawn


@dataclass(frozen=True, eq=False)
class LocalAncestry:
    """Of samples that were drawn.

    Attributes (n samples, A ancestries, T tracts):
        names: of the ancestries, str (A,).
        proportions: of ancestries, with which each sample was drawn, float64 (n, A).
        tracts: the sequence, the first and the last variant, and the ancestry of each, int (T, 4), in this order.
        per_sample: sequences of a sample: two haplotypes, or one of dosages.
    """

    names: np.ndarray
    proportions: np.ndarray
    tracts: np.ndarray
    per_sample: int

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The samples of several, one after the other; ValueError where ancestries differ."""
        first, done, tracts = parts[0], 0, []
        for part in parts:
            if part.names.tolist() != first.names.tolist() or part.per_sample != first.per_sample:
                raise ValueError(f"ancestries {part.names.tolist()} beside {first.names.tolist()}")
            tracts.append(part.tracts + np.array([part.per_sample * done, 0, 0, 0]))
            done += len(part.proportions)
        proportions = np.concatenate([part.proportions for part in parts])
        return cls(first.names, proportions, np.concatenate(tracts), first.per_sample)

    def save(self, path: str | Path) -> None:
        """Write as .npz."""
        with open(path, "wb") as file:
            np.savez_compressed(file, **vars(self))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path) as content:
            arrays = [content[name] for name in ("names", "proportions", "tracts")]
            return cls(*arrays, int(content["per_sample"]))

    def write(self, tracts: str | Path, proportions: str | Path, samples: Sequence[str], sites: Sites | Store) -> None:
        """Write tables of the tracts (`COLUMNS`, gzipped) and of the proportions, of samples with these ids.

        `start` and `end` are the positions of the first and the last variant, from 1, both included.
        """
        if len(samples) != len(self.proportions):
            raise ValueError(f"{len(samples)} names for {len(self.proportions)} samples")
        sequence, first, last, ancestry = self.tracts.T
        sample, haplotype = np.array(samples)[sequence // self.per_sample], sequence % self.per_sample
        if self.per_sample == 1:
            haplotype = np.full(len(sequence), OF_BOTH)
        places = sites.contig[first], sites.position[first], sites.position[last]
        table = pd.DataFrame(dict(zip(COLUMNS, (sample, haplotype, *places, self.names[ancestry]), strict=True)))
        # Without the time of day, so that the same tracts give the same file.
        table.to_csv(tracts, sep="\t", index=False, compression={"method": "gzip", "mtime": 0})
        shares = pd.DataFrame(self.proportions, columns=self.names)
        shares.insert(0, "sample", list(samples), allow_duplicates=True)  # a label may be called so
        shares.to_csv(proportions, sep="\t", index=False, float_format="%.6g")
