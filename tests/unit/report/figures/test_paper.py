import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from syngeno.evaluate import metrics
from syngeno.report import style
from syngeno.report.figures import paper as paper_figures

mpl.use("Agg")

GROUPS = ("latents: mlp", "genotypes: cnn")
DRAWN = ("recovery", "aats", "augmentation", "convergence")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def table(rows, generator, fraction=100, real_fraction=None, seed=1):
    return metrics.table(
        rows, generator=generator, fraction=fraction, real_fraction=real_fraction, seed=seed, protocol="paper"
    )


def row(metric, value, group, against="test"):
    return metrics.row(metric, value, n=100, group=group, against=against, low=value - 0.05, high=value + 0.05)


def rates(generators=("a", "b"), seeds=(1,), fraction=100):
    return pd.concat(
        [
            table([row("recovery_rate", 0.1 * k + 0.01 * seed, group) for group in GROUPS], name, fraction, 0, seed)
            for k, name in enumerate(generators, 1)
            for seed in seeds
        ],
        ignore_index=True,
    )


def neighbours(generators=("a", "b"), seeds=(1,)):
    kinds = [(metric, against) for metric in ("aa_truth", "aa_syn") for against in ("train", "test")]
    parts = [
        table([row(metric, 0.1 * k, "100 samples", against) for metric, against in kinds], name, seed=seed)
        for k, name in enumerate(generators, 1)
        for seed in seeds
    ]
    found = pd.concat(parts, ignore_index=True)
    real = np.where(found["metric"] == "aa_truth", 0.3, 0.7)
    return found.assign(real=real, real_low=real - 0.1, real_high=real + 0.1)


def accuracies(seeds=(1,), generators=("a",)):
    """Real only .1 + share / 1000, honest .2 more, as in the paper .4 more."""
    parts = []
    for seed in seeds:
        for share in (5, 20):
            value = 0.1 + share / 1000
            parts.append(table([row("accuracy", value, group) for group in GROUPS], "real", share, share, seed))
            for name in generators:
                for saw, more in ((share, 0.2), (100, 0.4)):
                    rows = [row("accuracy", value + more, group) for group in GROUPS]
                    parts.append(table(rows, name, saw, share, seed))
    return pd.concat(parts, ignore_index=True)


def errors(generators=("a", "b"), seeds=(1,)):
    levels = (0.9, 0.1, 0.5)  # in no order
    return pd.concat(
        [
            table(
                [row("reconstruction_error", k * level, f"noise {level}", against) for level in levels],
                name, seed=seed,
            )
            for k, name in enumerate(generators, 1)
            for against in ("train", "validation")
            for seed in seeds
        ],
        ignore_index=True,
    )  # fmt: skip


def bars(axis):
    """(x, value) of each set of points with error bars."""
    return [container.lines[0].get_xydata() for container in axis.containers]


def titles(figure):
    return [axis.get_title("left") for axis in figure.axes if axis.axison]


def words(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("name", DRAWN)
class TestAll:
    def test_nothing_says_why(self, name):
        figure = getattr(paper_figures, name)(rates().iloc[:0])
        assert "No generator was trained on" in " ".join(text.get_text() for text in figure.axes[0].texts)

    @pytest.mark.parametrize("count", [1, 8])
    def test_legend_and_names_have_room(self, name, count, tmp_path):
        generators = [f"generator_{k}" for k in range(count)]
        numbers = pd.concat([rates(generators), neighbours(generators), errors(generators), accuracies()])
        figure = getattr(paper_figures, name)(numbers.reset_index(drop=True))
        with mpl.rc_context(style.STYLE):
            figure.draw_without_rendering()
        for legend in figure.legends:
            box = legend.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 >= 0
        style.save(figure, tmp_path / "figure.svg")

    def test_a_generator_of_fewer_samples_is_not_drawn_among_those_of_all(self, name):
        few = rates(("few",), fraction=5)
        figure = getattr(paper_figures, name)(pd.concat([rates(), neighbours(), errors(), accuracies(), few]))
        assert "few" not in " ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


class TestRecovery:
    def test_a_panel_per_group_a_line_per_generator(self):
        figure = paper_figures.recovery(rates())
        assert titles(figure) == list(GROUPS)
        assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["a", "b"]
        assert np.concatenate(bars(figure.axes[0])) == pytest.approx(np.array([[0.11, 0], [0.21, 1]]))

    def test_a_point_per_seed_without_the_mean(self):
        figure = paper_figures.recovery(metrics.over_seeds(rates(seeds=(1, 2, 3))))
        (first, _) = bars(figure.axes[0])
        assert first[:, 0] == pytest.approx([0.11, 0.12, 0.13])
        assert len(set(first[:, 1])) == 3

    def test_a_generator_that_a_classifier_did_not_judge(self):
        numbers = rates()
        lacks = (numbers["generator"] == "b") & (numbers["group"] == GROUPS[1])
        figure = paper_figures.recovery(numbers[~lacks])
        assert [len(one) for one in bars(figure.axes[1])] == [1, 0]


class TestAats:
    def test_points_and_the_bands_of_their_colour(self):
        figure = paper_figures.aats(neighbours())
        assert titles(figure) == ["against test", "against train"]
        truth, syn = bars(figure.axes[1])
        assert truth[:, 1] == pytest.approx([0.1, 0.2]) and syn[:, 1] == pytest.approx([0.1, 0.2])
        bands = [one for one in figure.axes[1].collections if isinstance(one, mpl.collections.PolyCollection)]
        ends = [one.get_paths()[0].vertices[:, 1] for one in bands]
        assert [(one.min(), one.max()) for one in ends] == [pytest.approx((0.2, 0.4)), pytest.approx((0.6, 0.8))]
        points = [mpl.colors.to_rgb(one.lines[0].get_color()) for one in figure.axes[1].containers]
        assert [tuple(one.get_facecolor()[0][:3]) for one in bands] == points

    def test_seeds_stand_side_by_side(self):
        figure = paper_figures.aats(metrics.over_seeds(neighbours(seeds=(1, 2))))
        truth, syn = bars(figure.axes[0])
        places = np.concatenate([truth, syn])[:, 0]
        assert len(set(places.round(6))) == 8  # 2 metrics, generators, seeds
        assert np.abs(places - places.round()).max() < 0.4


class TestAugmentation:
    def test_three_lines_by_what_the_generator_saw(self):
        figure = paper_figures.augmentation(accuracies())
        assert titles(figure) == [f"a, {group}" for group in GROUPS]
        real, honest, paper = bars(figure.axes[0])
        assert real == pytest.approx(np.array([[5, 0.105], [20, 0.12]]))
        assert honest == pytest.approx(np.array([[5, 0.305], [20, 0.32]]))
        assert paper == pytest.approx(np.array([[5, 0.505], [20, 0.52]]))
        assert words(figure)[1:] == ["with synthetic samples, honest", "with synthetic samples, as in the paper"]

    def test_the_mean_over_seeds_but_a_number_of_one_seed_is_kept(self):
        numbers = metrics.over_seeds(accuracies(seeds=(1, 2)))
        single = table([row("accuracy", 0.9, GROUPS[0])], "a", 50, 50)
        figure = paper_figures.augmentation(pd.concat([numbers, single], ignore_index=True))
        assert bars(figure.axes[0])[1] == pytest.approx(np.array([[5, 0.305], [20, 0.32], [50, 0.9]]))

    def test_real_samples_alone_are_no_augmentation(self):
        numbers = accuracies()
        assert not paper_figures.augmentation(numbers[numbers["generator"] == "real"]).axes[0].axison


class TestConvergence:
    def test_training_samples_solid_and_validation_samples_dashed_in_order_of_noise(self):
        axis = paper_figures.convergence(errors()).axes[0]
        lines = [one for one in axis.lines if len(one.get_xdata()) == 3]
        assert [one.get_linestyle() for one in lines] == ["-", "--", "-", "--"]
        assert lines[2].get_xydata() == pytest.approx(np.array([[0.1, 0.2], [0.5, 1.0], [0.9, 1.8]]))
        assert axis.get_yscale() == "log"

    def test_the_first_seed(self):
        axis = paper_figures.convergence(metrics.over_seeds(errors(seeds=(1, 2)))).axes[0]
        assert len([one for one in axis.lines if len(one.get_xdata()) == 3]) == 4
