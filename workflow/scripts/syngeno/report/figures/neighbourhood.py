"""Neighbourhoods: samples on one map by UMAP (McInnes et al., 2018), with the angle as distance, as in the paper.

A map for looking: distances between groups on it mean little, and nothing is measured on it.
"""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from syngeno import streams
from syngeno.report.style import COLOURS, STYLE, grid

REAL = ("training samples", "held-out samples")


def embed(latents: Mapping[str, np.ndarray], seed: int, most: int = 400) -> dict[str, np.ndarray]:
    """Places float32 (n, 2) of each set's samples, (n, blocks, components), on the one map of all sets.

    Of larger sets `most` samples are drawn.
    """
    import umap  # slow

    rng = streams.rng("umap_subsample", seed)
    thinned = {
        name: one[np.sort(rng.permutation(len(one))[:most])].reshape(min(most, len(one)), -1)
        for name, one in latents.items()
    }
    together = np.concatenate(list(thinned.values()))
    near = min(15, len(together) - 1)
    places = umap.UMAP(n_neighbors=near, metric="cosine", random_state=seed, n_jobs=1).fit_transform(together)
    ends = np.cumsum([len(one) for one in thinned.values()])[:-1]
    return dict(zip(thinned, np.split(places, ends), strict=True))


def draw(places: Mapping[str, np.ndarray]) -> Figure:
    """One panel per generator: its samples over the real ones; `places` holds those of `REAL` too."""
    generators = [name for name in places if name not in REAL]
    with mpl.rc_context(STYLE):
        figure, axes = grid(len(generators), 3, 3.4, 3.3, sharex=True, sharey=True)
        for axis, name in zip(axes, generators, strict=True):
            for real, shade in zip(REAL, ("0.75", "0.35"), strict=True):
                axis.scatter(*places[real].T, s=7, color=shade, linewidths=0, label=real)
            axis.scatter(*places[name].T, s=7, color=COLOURS[0], linewidths=0, alpha=0.6, label="synthetic")
            axis.set(title=name, xticks=[], yticks=[])
        handles, titles = axes[0].get_legend_handles_labels()
        figure.legend(handles, titles, loc="outside lower center", ncols=3, markerscale=2.5)
    return figure
