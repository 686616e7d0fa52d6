"""Figures of people side by side: where they lie on the principal axes, their frequencies, their blocks of linkage."""

from collections.abc import Mapping

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from syngeno.figures import COLOURS, STYLE, grid

ACROSS = 4  # panels in a row


def pca(panels: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray], train: np.ndarray) -> Figure:
    """PC1 and PC2: `panels` name -> coordinates (people, k), `labels` name -> (people,); `train` in grey behind."""
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
        handles.append(plt.Line2D([], [], marker="o", linestyle="", color="0.85", label="training people"))
        rows = 1 + (len(panels) - 1) // ACROSS
        figure.legend(
            handles=handles, loc="outside right center", ncols=1 + len(classes) // (16 * rows), fontsize=8
        )  # fmt: skip
    return figure


def allele_frequencies(panels: Mapping[str, np.ndarray], train: np.ndarray) -> Figure:
    """Allele frequencies (variants,) of each panel's people against those of the training people."""
    with mpl.rc_context(STYLE):
        figure, axes = grid(len(panels), ACROSS, 3.1, 3.2, sharex=True, sharey=True)
        for axis, (name, frequency) in zip(axes, panels.items(), strict=True):
            axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
            axis.scatter(train, frequency, s=3, alpha=0.3, color=COLOURS[0], linewidths=0, rasterized=True)
            axis.set(title=name, aspect="equal")
        figure.supxlabel("allele frequency, training people", fontsize=10)
        figure.supylabel("allele frequency, the panel's people", fontsize=10)
    return figure


def ld_blocks(panels: Mapping[str, np.ndarray], train: np.ndarray, where: str) -> Figure:
    """r2 matrices (k, k) of one region: training people below the diagonal, the panel's people above it."""
    with mpl.rc_context(STYLE):
        figure, axes = grid(len(panels), ACROSS, 3.1, 3.2)
        for axis, (name, r2) in zip(axes, panels.items(), strict=True):
            image = axis.imshow(np.tril(train, -1) + np.triu(r2), vmin=0, vmax=1, cmap="magma_r")
            axis.set(title=name, xticks=[], yticks=[])
        figure.supxlabel(where, fontsize=9)
        figure.colorbar(image, ax=figure.axes, label="r²", shrink=0.6, aspect=30)
    return figure
