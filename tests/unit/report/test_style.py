import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from judged import KINDS, judged, literature

from syngeno.evaluate import metrics
from syngeno.models.catalogue import KINDS as CATALOGUE
from syngeno.report import style

mpl.use("Agg")


@pytest.fixture(scope="module")
def table():
    return judged(generators=("diffusion", "li_stephens"), labels=("AFR", "EUR"))


@pytest.fixture
def axis():
    figure, axis = plt.subplots()
    yield axis
    plt.close(figure)


def numbers(values, metric="aats", low=0.4, high=0.6):
    """A row per (generator, seed) -> value."""
    rows = [
        metrics.table([metrics.row(metric, value, n=9)], generator=name, fraction=100, seed=seed)
        for (name, seed), value in values.items()
    ]
    return pd.concat(rows, ignore_index=True).assign(real=0.5, real_low=low, real_high=high)


class TestOurs:
    def test_canaries_releases_means_and_other_protocols_are_not_the_generators_own(self, table):
        own = metrics.ours(pd.concat([table, literature()], ignore_index=True))
        assert set(own["variant"]) == {""}
        assert set(own["protocol"]) == {"ours"}
        assert set(own["seed"]) == {"1", "2"}
        assert set(own["generator"]) == {"diffusion", "li_stephens"}


class TestColours:
    def test_the_same_for_every_figure_and_apart_for_every_generator(self):
        table = judged(labels=("A", "B"), seeds=(1,))
        shades = style.colours(table)
        assert list(shades) == [(name, 100) for name in KINDS]
        assert len(set(shades.values())) == len(KINDS)

    def test_a_name_keeps_its_colour_whatever_else_is_judged(self):
        table = judged(labels=("A", "B"), seeds=(1,))
        alone = table[table["generator"].isin(["copycat", "markov"])]
        assert style.colours(alone).items() <= style.colours(table).items()
        assert style.colours(table.iloc[::-1]) == style.colours(table)

    def test_no_two_kinds_share_a_colour(self):
        table = numbers({(name, 1): 0.5 for name in CATALOGUE})
        alone = {name: style.colours(table[table["generator"] == name])[name, 100] for name in CATALOGUE}
        assert style.colours(table) == {(name, 100): shade for name, shade in alone.items()}
        assert len(set(alone.values())) == len(CATALOGUE)

    def test_smaller_fractions_are_paler(self):
        one = numbers({("a", 1): 0.5})
        shades = style.colours(pd.concat([one.assign(fraction=10), one], ignore_index=True))
        whole, tenth = (sum(mpl.colors.to_rgb(shades["a", fraction])) for fraction in (100, 10))
        assert shades["a", 100] == style.colours(one)["a", 100]
        assert whole < tenth

    def test_more_generators_than_colours_still_have_one_each(self):
        assert len(style.colours(numbers({(f"g{i}", 1): 0.5 for i in range(15)}))) == 15


class TestNames:
    def test_tells_the_fraction_where_there_are_several(self):
        one = numbers({("a", 1): 0.5})
        assert list(style.names(one).values()) == ["a"]
        both = pd.concat([one, one.assign(fraction=10)], ignore_index=True)
        assert list(style.names(both).values()) == ["a, 100 %", "a, 10 %"]


class TestPoints:
    def test_every_seed_is_a_point_and_the_envelope_a_band(self, axis):
        column = numbers({("a", 1): 0.1, ("a", 2): 0.2, ("b", 1): 0.9})
        style.points(axis, {"x": column}, {("a", 100): "red", ("b", 100): "blue"})
        drawn = [line for line in axis.lines if line.get_marker() == "o"]
        assert [list(line.get_ydata()) for line in drawn] == [[0.1, 0.2], [0.9]]
        band = axis.collections[0].get_paths()[0].get_extents()
        assert (band.y0, band.y1) == pytest.approx((0.4, 0.6))

    def test_the_blind_are_hollow(self, axis):
        column = numbers({("a", 1): 0.1, ("b", 1): 0.9})
        style.points(axis, {"x": column}, {("a", 100): "red", ("b", 100): "blue"}, hollow=[("b", 100)])
        faces = [line.get_markerfacecolor() for line in axis.lines if line.get_marker() == "o"]
        assert faces == ["red", "white"]

    def test_without_envelope_there_is_no_band(self, axis):
        column = numbers({("a", 1): 0.1})
        style.points(axis, {"x": column.assign(real=np.nan, real_low=np.nan)}, {("a", 100): "red"})
        assert not [one for one in axis.collections if isinstance(one, mpl.collections.PolyCollection)]


class TestLines:
    def spectrum(self):
        rows = [numbers({("a", 1): value}).assign(group=group) for group, value in (("x", 0.25), ("y", 1.0))]
        return pd.concat(rows, ignore_index=True)

    def test_a_line_over_the_groups_in_their_order(self, axis):
        style.lines(axis, self.spectrum(), ["y", "x"], {("a", 100): "red"})
        line = next(line for line in axis.lines if line.get_marker() == "o")
        assert list(line.get_ydata()) == [1.0, 0.25]

    def test_relative_to_real_samples(self, axis):
        style.lines(axis, self.spectrum(), ["x", "y"], {("a", 100): "red"}, relative=True)
        line = next(line for line in axis.lines if line.get_marker() == "o")
        assert list(line.get_ydata()) == [0.5, 2.0]
        band = axis.collections[0].get_paths()[0].get_extents()
        assert (band.y0, band.y1) == pytest.approx((0.8, 1.2))


class TestInterval:
    def test_reaches_from_the_value_and_is_0_where_there_is_none(self):
        part = pd.DataFrame({"value": [0.5, 0.5], "low": [0.4, np.nan], "high": [0.7, np.nan]})
        below, above = style.interval(part)
        assert list(below) == pytest.approx([0.1, 0])
        assert list(above) == pytest.approx([0.2, 0])


class TestGrid:
    @pytest.mark.parametrize(("panels", "shape"), [(1, (1, 1)), (4, (1, 4)), (5, (2, 4)), (9, (3, 4))])
    def test_wraps_and_gives_as_many_axes_as_panels(self, panels, shape):
        figure, axes = style.grid(panels, 4, 2, 2)
        assert len(axes) == panels
        assert len(figure.axes) == shape[0] * shape[1]
        assert [axis.axison for axis in figure.axes] == [True] * panels + [False] * (len(figure.axes) - panels)
        plt.close(figure)


class TestSave:
    def test_the_same_figure_gives_the_same_file(self, tmp_path):
        for name in ("a.svg", "b.svg"):
            style.save(style.without("nothing to show"), tmp_path / name)
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
        assert "nothing to show" in (tmp_path / "a.svg").read_text()


class TestTraining:
    def test_marks_the_epoch_that_was_kept(self):
        history = pd.DataFrame({"epoch": [1, 2, 3], "train_loss": [3.0, 2.0, 1.0], "validation_loss": [3.0, 1.5, 2.0]})
        history["kept"] = [True, True, False]
        figure = style.training(history)
        assert list(figure.axes[0].lines[-1].get_xdata()) == [2, 2]
        plt.close(figure)
