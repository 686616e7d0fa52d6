import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from syngeno.report.figures import cohorts

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


class TestPca:
    def test_a_label_has_one_colour_in_all_panels(self):
        here = np.array([[0.0, 1.0], [2.0, 3.0]])
        labels = {"ours": np.array(["A", "B"]), "theirs": np.array(["B", "B"])}
        figure = cohorts.pca({"ours": here, "theirs": here}, labels, here)
        found = {}
        for axis, name in zip(figure.axes, labels, strict=True):
            points = axis.collections[1]
            for place, colour in zip(points.get_offsets().tolist(), points.get_facecolors().tolist(), strict=True):
                found.setdefault(labels[name][here.tolist().index(place)], set()).add(tuple(colour))
        assert [len(one) for one in found.values()] == [1, 1]
        assert found["A"] != found["B"]

    def test_wraps_many_cohorts(self):
        here = np.zeros((3, 2))
        panels = {f"g{i}": here for i in range(7)}
        figure = cohorts.pca(panels, dict.fromkeys(panels, np.array(["A"] * 3)), here)
        assert figure.get_figwidth() < 16


class TestAlleleFrequencies:
    def test_train_across_and_the_panel_up(self):
        figure = cohorts.allele_frequencies({"ours": np.array([0.2, 0.9])}, np.array([0.1, 0.8]))
        assert figure.axes[0].collections[0].get_offsets().tolist() == [[0.1, 0.2], [0.8, 0.9]]


class TestLdBlocks:
    def test_train_below_and_the_panel_above_the_diagonal(self):
        train, ours = np.full((3, 3), 0.2), np.full((3, 3), 0.7)
        figure = cohorts.ld_blocks({"ours": ours}, train, "chromosome 1")
        shown = figure.axes[0].images[0].get_array()
        assert shown[2, 0] == pytest.approx(0.2)
        assert shown[0, 2] == pytest.approx(0.7)


class TestAssociation:
    def test_names_of_chromosomes_are_not_printed_over_each_other(self):
        names = [str(i) for i in range(1, 23)]
        scan = np.zeros(44), np.ones(44)
        where = np.repeat(names, 2), np.tile([1, 1000], 22)
        where[1][-1] = 10_000
        (up, *_) = cohorts.association({"ours": scan}, scan, *where, "A").axes
        titles = [tick.get_text() for tick in up.get_xticklabels()]
        assert titles[0] == "1"
        assert set(titles) <= {"", *names}
        assert cohorts._spaced(["1", "2", "3"], [0, 0.1, 5], 10) == ["1", "", "3"]
        assert cohorts._spaced(["1", "2", "3"], [0, 3, 6], 10) == ["1", "2", "3"]

    def test_train_above_the_line_and_the_panel_below(self):
        train = np.array([0.1, -0.2, 0.3]), np.array([1e-10, 0.5, 1.0])
        ours = np.array([0.2, -0.4, 0.6]), np.array([0.1, 0.0, 0.01])
        where = np.array(["1", "1", "2"]), np.array([100, 200, 100])
        figure = cohorts.association({"ours": ours}, train, *where, "A against the rest")
        up, quantiles, effects = figure.axes
        above, below = (one.get_offsets().data for one in up.collections)
        assert above[:, 1] == pytest.approx([10, -np.log10(0.5), 0])
        assert below[:, 1] == pytest.approx([-1, -300, -2])  # what is too small to be drawn is drawn at the end
        assert (above[:, 0] == below[:, 0]).all()
        assert (np.diff(above[:, 0]) > 0).all()
        assert quantiles.collections[1].get_offsets().data[:, 1] == pytest.approx([300, 2, 1])
        assert effects.get_title("left") == "effects, r = 1.00"
        assert effects.collections[0].get_offsets().data == pytest.approx(np.column_stack([train[0], ours[0]]))
