import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from judged import judged

from syngeno.evaluate.metrics import of, ours
from syngeno.report.figures import utility

mpl.use("Agg")


@pytest.fixture(scope="module")
def table():
    return judged(generators=("diffusion", "li_stephens"), labels=("AFR", "EUR"))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def told(axis):
    return " ".join(text.get_text() for text in axis.texts).replace("\n", " ")


class TestUtility:
    def test_recovery_has_a_column_per_classifier_but_none_for_the_headline(self, table):
        ticks = [tick.get_text() for tick in utility.utility(table).axes[0].get_xticklabels()]
        assert ticks == ["logistic\nregression", "random\nforest", "gradient\nboosting"]

    def test_recall_is_less_that_learnt_from_real_samples_and_a_mean_over_seeds(self, table):
        shown = utility.utility(table).axes[1].images[0].get_array()
        own = ours(table)
        for i, name in enumerate(("diffusion", "li_stephens")):
            mine = own[own["generator"] == name]
            for j, label in enumerate(("AFR", "EUR")):
                drawn, real = (of(mine, metric, label)["value"].mean() for metric in ("recall", "recall_real"))
                assert shown[i, j] == pytest.approx(drawn - real)

    def test_the_real_panel_is_dashed_beside_the_imputed(self, table):
        axis = utility.utility(table).axes[3]
        dashed = next(line for line in axis.lines if line.get_linestyle() == "--")
        own = ours(table)
        bins = list(dict.fromkeys(of(own, "imputation_r2_real", None)["group"]))
        expected = [of(own, "imputation_r2_real", name)["value"].mean() for name in bins]
        assert list(dashed.get_ydata()) == pytest.approx(expected)
        assert all(np.diff(dashed.get_ydata()) > 0)

    def test_what_was_not_measured_is_said(self, table):
        few = table[~table["metric"].str.contains("recovery|recall|association|imputation")]
        axes = utility.utility(few).axes
        sentences = [utility.NO_RECOVERY, utility.NO_RECALL]
        sentences += [utility.NO_ASSOCIATION, utility.NO_IMPUTATION]
        assert [told(axis) for axis in axes] == sentences
