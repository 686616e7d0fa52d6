"""Draw the figures of kept tables into docs/images: `python docs/results/figures.py`, as `make docs` does."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd

from syngeno.report import style

HERE = Path(__file__).parent
IMAGES = HERE.parent / "images"
ATTACKS = ("painting, AUC", "posterior painting, AUC")
KEPT = {"LD r": "LD r of synthetic against training samples", "imputation ratio": "Imputation r², over a real panel's"}


def long_runs() -> None:
    """What the rule on long runs takes from attacks, and from linkage and imputation, by the number of clusters."""
    table = pd.read_csv(HERE / "data" / "long_runs.tsv", sep="\t", comment="#", dtype={"clusters": str})
    with mpl.rc_context(style.STYLE | {"svg.fonttype": "none", "svg.hashsalt": "long_runs"}):
        figure, axes = plt.subplots(2, 2, figsize=(8.5, 6), sharex=True, sharey="col", constrained_layout=True)
        for row, attack in zip(axes, ATTACKS, strict=True):
            for axis, kept in zip(row, KEPT, strict=True):
                for colour, (clusters, part) in zip(style.COLOURS, table.groupby("clusters", sort=False), strict=False):
                    for rule, marker in ((False, "D"), (True, "o")):
                        known = part[(part["rule"] != "none") == rule]
                        name = None if rule else f"{clusters} clusters"
                        axis.plot(known[attack], known[kept], marker, color=colour, label=name, markersize=5)
                axis.set_xlabel(f"{attack.removesuffix(', AUC').capitalize()}: AUC against test samples")
                axis.axvline(0.5, **style.GUIDE)
        for axis, title in zip(axes[0], KEPT.values(), strict=True):
            axis.set_title(title, fontsize=9)
        axes[1, 0].legend(fontsize=8, loc="lower right")
        figure.suptitle("Diamonds: without the rule; dots: by the rule. Up and left is good.", fontsize=9)
        figure.savefig(IMAGES / "long_runs.svg", metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    long_runs()
