import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from judged import judged

from syngeno import figures, usefulness

mpl.use("Agg")


@pytest.fixture(scope="module")
def table():
    return judged(generators=("diffusion", "copying"), labels=("AFR", "EUR"))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def told(axis):
    return " ".join(text.get_text() for text in axis.texts).replace("\n", " ")


class TestUtility:
    def test_recovery_has_a_column_per_classifier_but_none_for_the_headline(self, table):
        ticks = [tick.get_text() for tick in usefulness.utility(table).axes[0].get_xticklabels()]
        assert ticks == ["logistic\nregression", "random\nforest", "gradient\nboosting"]

    def test_recall_is_less_that_learnt_from_real_people_and_a_mean_over_seeds(self, table):
        shown = usefulness.utility(table).axes[1].images[0].get_array()
        own = figures.ours(table)
        for i, name in enumerate(("diffusion", "copying")):
            mine = own[own["generator"] == name]
            for j, label in enumerate(("AFR", "EUR")):
                ours, real = (figures.of(mine, metric, label)["value"].mean() for metric in ("recall", "recall_real"))
                assert shown[i, j] == pytest.approx(ours - real)

    def test_the_real_panel_is_dashed_beside_the_imputed(self, table):
        axis = usefulness.utility(table).axes[3]
        dashed = next(line for line in axis.lines if line.get_linestyle() == "--")
        own = figures.ours(table)
        bins = list(dict.fromkeys(figures.of(own, "imputation_r2_real", None)["group"]))
        expected = [figures.of(own, "imputation_r2_real", name)["value"].mean() for name in bins]
        assert list(dashed.get_ydata()) == pytest.approx(expected)
        assert all(np.diff(dashed.get_ydata()) > 0)

    def test_what_was_not_measured_is_said(self, table):
        few = table[~table["metric"].str.contains("recovery|recall|association|imputation")]
        axes = usefulness.utility(few).axes
        sentences = [usefulness.NO_RECOVERY, usefulness.NO_RECALL]
        sentences += [usefulness.NO_ASSOCIATION, usefulness.NO_IMPUTATION]
        assert [told(axis) for axis in axes] == sentences
