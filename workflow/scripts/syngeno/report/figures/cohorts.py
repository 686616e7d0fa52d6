"""Figures of cohorts side by side: principal components, allele frequencies, linkage and associations."""

from collections.abc import Mapping

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from syngeno.evaluate.association import GENOME_WIDE
from syngeno.report.style import COLOURS, GUIDE, STYLE, grid

ACROSS = 4  # panels in a row
LEAST_P = 1e-300  # of those that can be drawn
LONGEST = 20  # median gaps between variants that a gap takes at most

Scan = tuple[np.ndarray, np.ndarray]  # effects and p of all variants


def pca(panels: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray], train: np.ndarray) -> Figure:
    """PC1 and PC2: `panels` name -> coordinates (samples, k), `labels` name -> (samples,); `train` in grey behind."""
    classes = sorted({one for label in labels.values() for one in label.tolist()})
    colours = dict(zip(classes, mpl.colormaps["turbo"](np.linspace(0.03, 0.95, len(classes))), strict=True))
    with mpl.rc_context(STYLE):
        figure, axes = grid(len(panels), ACROSS, 3.2, 3.2, sharex=True, sharey=True)
        figure.set_figwidth(figure.get_figwidth() + 1.6)
        for axis, (name, coordinates) in zip(axes, panels.items(), strict=True):
            axis.scatter(*train[:, :2].T, s=3, color="0.85", rasterized=True)
            order = np.random.default_rng(0).permutation(len(coordinates))
            shade = np.array([colours[one] for one in labels[name][order].tolist()])
            axis.scatter(*coordinates[order, :2].T, s=5, c=shade, rasterized=True)
            axis.set_title(f"{name} (n = {len(coordinates)})")
        figure.supxlabel("PC1", fontsize=10)
        figure.supylabel("PC2", fontsize=10)
        handles = [plt.Line2D([], [], marker="o", linestyle="", color=colours[one], label=one) for one in classes]
        handles.append(plt.Line2D([], [], marker="o", linestyle="", color="0.85", label="training samples"))
        rows = 1 + (len(panels) - 1) // ACROSS
        figure.legend(
            handles=handles, loc="outside right center", ncols=1 + len(classes) // (16 * rows), fontsize=8
        )  # fmt: skip
    return figure


def allele_frequencies(panels: Mapping[str, np.ndarray], train: np.ndarray) -> Figure:
    """Allele frequencies (variants,) of each panel's samples against those of the training samples."""
    with mpl.rc_context(STYLE):
        figure, axes = grid(len(panels), ACROSS, 3.1, 3.2, sharex=True, sharey=True)
        for axis, (name, frequency) in zip(axes, panels.items(), strict=True):
            axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
            axis.scatter(train, frequency, s=3, alpha=0.3, color=COLOURS[0], linewidths=0, rasterized=True)
            axis.set(title=name, aspect="equal")
        figure.supxlabel("allele frequency, training samples", fontsize=10)
        figure.supylabel("allele frequency, the panel's samples", fontsize=10)
    return figure


def association(panels: Mapping[str, Scan], train: Scan, contig: np.ndarray, position: np.ndarray, what: str) -> Figure:
    """Scans, effects and p (variants,), of each panel beside the training samples': Manhattan, quantiles, effects.

    `contig`, `position` (variants,), those of a contig together; `what` is scanned.
    """
    names = list(dict.fromkeys(contig.tolist()))
    # Where variants are those of a few regions, nothing but the gaps would show.
    gap = np.concatenate([np.diff(position[contig == name], prepend=position[contig == name][0]) for name in names])
    longest = LONGEST * max(1.0, float(np.median(gap)))
    place = np.cumsum(np.minimum(gap, longest) + longest * np.r_[False, contig[1:] != contig[:-1]])
    middles = [place[contig == name].mean() for name in names]
    titles = _spaced(names, middles, place[-1] - place[0])
    shade = np.array(["0.35", "0.65"])[[names.index(one) % 2 for one in contig.tolist()]]
    real = -np.log10(train[1].clip(min=LEAST_P))
    with mpl.rc_context(STYLE):
        size = {"figsize": (11, 2.4 * len(panels) + 0.5), "width_ratios": (3, 1, 1)}
        figure, axes = plt.subplots(len(panels), 3, squeeze=False, sharex="col", sharey="col", **size)
        for (up, quantiles, effects), (name, (effect, p)) in zip(axes, panels.items(), strict=True):
            ours = -np.log10(p.clip(min=LEAST_P))
            up.scatter(place, real, s=3, c=shade, linewidths=0, rasterized=True)
            up.scatter(place, -ours, s=3, c=COLOURS[0], linewidths=0, rasterized=True)
            up.axhline(0, color="0.3", linewidth=0.8)
            for side in (1, -1):
                up.axhline(side * -np.log10(GENOME_WIDE), **GUIDE)
            up.set(title=f"{name}, below the line", xticks=middles, xticklabels=titles, ylabel="-log10 p")
            up.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
            expected = -np.log10((np.arange(len(p)) + 0.5) / len(p))
            for scan, colour in ((real, "0.5"), (ours, COLOURS[0])):
                quantiles.scatter(expected, np.sort(scan)[::-1], s=4, color=colour, linewidths=0, rasterized=True)
            quantiles.axline((0, 0), slope=1, color="0.3", linewidth=0.8)
            quantiles.set(title="quantiles of -log10 p", ylabel="observed")
            r = np.corrcoef(train[0], effect)[0, 1] if np.ptp(train[0]) and np.ptp(effect) else np.nan
            effects.scatter(train[0], effect, s=3, alpha=0.3, color=COLOURS[0], linewidths=0, rasterized=True)
            effects.axline((0, 0), slope=1, color="0.3", linewidth=0.8)
            effects.set(title=f"effects, r = {r:.2f}", ylabel=name if len(name) < 18 else "panel")
        for axis, text in zip(
            axes[-1], ("chromosome (long gaps shortened)", "expected", "training samples"), strict=True
        ):
            axis.set_xlabel(text)
        figure.suptitle(f"{what}; training samples in grey", fontsize=10, x=0.01, ha="left")
    return figure


def _spaced(names: list[str], middles: list[float], width: float) -> list[str]:
    """The names that have room on an axis, empty text for those that would be printed over the one before."""
    titles, end = [], -np.inf
    for name, middle in zip(names, middles, strict=True):
        half = 0.011 * len(name) * width  # of a name, on the widest panel
        fits = middle - half > end
        titles.append(name if fits else "")
        end = middle + half if fits else end
    return titles


def ld_blocks(panels: Mapping[str, np.ndarray], train: np.ndarray, where: str) -> Figure:
    """r2 matrices (k, k) of one region: training samples below the diagonal, the panel's samples above it."""
    with mpl.rc_context(STYLE):
        figure, axes = grid(len(panels), ACROSS, 3.1, 3.2)
        for axis, (name, r2) in zip(axes, panels.items(), strict=True):
            image = axis.imshow(np.tril(train, -1) + np.triu(r2), vmin=0, vmax=1, cmap="magma_r")
            axis.set(title=name, xticks=[], yticks=[])
        figure.supxlabel(where, fontsize=9)
        figure.colorbar(image, ax=figure.axes, label="r²", shrink=0.6, aspect=30)
    return figure
