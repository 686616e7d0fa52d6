import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from judged import judged, literature

from syngeno.evaluate.metrics import of, ours
from syngeno.report.figures import fidelity
from syngeno.stats import diversity
from syngeno.stats.ld import BINS

mpl.use("Agg")


@pytest.fixture(scope="module")
def table():
    return judged(generators=("diffusion", "independent", "markov"), labels=("AFR", "EUR", "ASW"), seeds=(1,))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def titles(figure):
    return [axis.get_title(loc="left") for axis in figure.axes if axis.axison]


def dots(axis):
    return [line for line in axis.lines if line.get_marker() == "o"]


class TestSpectrum:
    def test_classes_in_order_whatever_the_order_of_rows(self, table):
        axis = fidelity.spectrum(table.iloc[::-1]).axes[0]
        assert [tick.get_text() for tick in axis.get_xticklabels()] == [
            "1",
            "2",
            "3-5",
            "6-10",
            "11-20",
            "21-50",
            "51+",
        ]
        own = of(ours(table), "sfs", None)
        expected = own[own["generator"] == "markov"].set_index("group")["value"].reindex(list(diversity.BINS))
        assert list(expected) in [list(line.get_ydata()) for line in dots(axis)]

    def test_only_what_was_measured_has_a_panel(self, table):
        unphased = table[~table["metric"].str.startswith("haplotype")]
        assert len(titles(fidelity.spectrum(table))) == 2 + 8
        shown = titles(fidelity.spectrum(unphased))
        assert len(shown) == 2 + 6
        assert "Haplotype diversity" not in shown

    def test_without_numbers_it_says_so(self, table):
        figure = fidelity.spectrum(table[table["metric"] == "aats"])
        assert figure.axes[0].texts[0].get_text() == fidelity.NO_SPECTRUM


class TestLdDecay:
    def test_a_panel_for_each_population_and_scale(self, table):
        assert titles(fidelity.ld_decay(table)) == [
            "all samples, by base pairs", "all samples, by the genetic map", "three variants at a time",
            "AFR", "EUR", "ASW",
        ]  # fmt: skip

    def test_without_a_map_there_is_no_panel_for_it(self):
        table = judged(generators=("li_stephens",), labels=("A", "B"), seeds=(1,), cm=False)
        assert "all samples, by the genetic map" not in titles(fidelity.ld_decay(table))

    def test_a_population_shows_its_own_numbers(self, table):
        axis = next(axis for axis in fidelity.ld_decay(table).axes if axis.get_title(loc="left") == "EUR")
        own = of(ours(table), "ld_r2", None)
        mine = own[own["generator"] == "diffusion"].set_index("group")["value"]
        assert list(dots(axis)[0].get_ydata()) == pytest.approx([mine[f"EUR: {name}"] for name in BINS])

    def test_no_line_runs_out_of_its_panel(self, table):
        grown = table.assign(value=table["value"].mask(table["group"].str.startswith("EUR: "), 0.9))
        panels = [axis for axis in fidelity.ld_decay(grown).axes if axis.get_title(loc="left") in ("AFR", "EUR", "ASW")]
        assert max(max(line.get_ydata()) for axis in panels for line in dots(axis)) == pytest.approx(0.9, abs=0.1)
        for axis in panels:
            top = axis.get_ylim()[1]
            assert all(max(line.get_ydata()) <= top for line in dots(axis))

    def test_no_linkage_is_said_and_not_drawn(self, table):
        figure = fidelity.ld_decay(table[table["metric"] != "ld_r2"])
        assert "no linkage" in figure.axes[0].texts[0].get_text()


class TestStructure:
    def test_synthetic_above_and_real_below_the_diagonal(self, table):
        axis = fidelity.structure(table).axes[0]
        shown = np.ma.filled(axis.images[0].get_array(), np.nan)
        own = of(ours(table), "fst", None)
        one = own[(own["generator"] == "diffusion")].set_index("group").loc["AFR / ASW"]
        assert [tick.get_text() for tick in axis.get_xticklabels()] == ["AFR", "ASW", "EUR"]
        assert (shown[0, 1], shown[1, 0]) == pytest.approx((one["value"], one["real"]))
        assert np.isnan(np.diag(shown)).all()

    def test_one_label_only(self, table):
        figure = fidelity.structure(table[~table["metric"].str.startswith("fst")])
        told = " ".join(text.get_text() for axis in figure.axes for text in axis.texts)
        assert "No Fst between labels" in told
        assert "Sinkhorn, PC1-2" in titles(figure)

    def test_without_numbers_it_says_so(self, table):
        figure = fidelity.structure(table[table["metric"] == "aats"])
        assert figure.axes[0].texts[0].get_text() == fidelity.NO_STRUCTURE


class TestPublished:
    def test_ours_first_then_the_literature_which_is_hollow(self, table):
        figure = fidelity.published(pd.concat([table, literature()], ignore_index=True))
        names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
        assert names[:3] == ["diffusion", "independent", "markov"]
        assert names[3:] == [f"{name} (published)" for name in ("WGAN", "RBM", "HCLT", "HMM", "Markov")]
        axis = figure.axes[1]
        hollow = {line.get_ydata()[0] for line in dots(axis) if line.get_markerfacecolor() == "white"}
        assert hollow == {3, 4, 5, 6, 7}

    def test_real_train_is_a_line(self, table):
        axis = fidelity.published(pd.concat([table, literature()], ignore_index=True)).axes[1]
        assert axis.get_title(loc="left") == "Wasserstein, PC1-6"
        assert [line.get_xdata()[0] for line in axis.lines if line.get_linestyle() == "--"] == [1.459]

    @pytest.mark.parametrize(("least", "factor"), [(240.0, 1.02), (138.0, 2.5), (130.0, 12.0), (2.0, 400.0)])
    def test_the_axis_has_labels_whatever_its_range(self, table, least, factor):
        nats = table[(table["metric"] == "heldout_nats") & (table["seed"] == "1")].head(2)
        figure = fidelity.published(nats.assign(value=[least, least * factor]))
        figure.draw_without_rendering()
        (axis,) = figure.axes
        left, right = axis.get_xlim()
        shown = [tick.label1.get_text() for tick in axis.xaxis.get_major_ticks() if left <= tick.get_loc() <= right]
        assert len([text for text in shown if text]) >= 2

    def test_our_own_protocol_does_not_stand_beside_theirs(self, table):
        assert titles(fidelity.published(table)) == ["Held-out nats"]

    def test_without_either_it_says_so(self, table):
        figure = fidelity.published(table[table["metric"] != "heldout_nats"])
        assert figure.axes[0].texts[0].get_text().replace("\n", " ") == fidelity.NO_PUBLISHED
