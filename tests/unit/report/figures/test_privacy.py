import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from judged import judged

from syngeno.evaluate.metrics import of
from syngeno.report import style
from syngeno.report.figures import privacy

mpl.use("Agg")


@pytest.fixture(scope="module")
def table():
    return judged(generators=("diffusion", "independent", "copycat"), labels=("AFR", "EUR"))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def dots(axis):
    return [line for line in axis.lines if line.get_marker() == "o"]


def titles(figure):
    return [axis.get_title(loc="left") for axis in figure.axes]


class TestAats:
    def test_every_seed_of_every_generator_is_a_point(self, table):
        accuracy = privacy.aats(table).axes[0]
        assert sum(len(line.get_xdata()) for line in dots(accuracy)) == 3 * 2 * 3

    def test_a_saturated_loss_is_drawn_hollow(self, table):
        faces = [line.get_markerfacecolor() for line in dots(privacy.aats(table).axes[1])]
        assert [face == "white" for face in faces] == [False, True, False]

    def test_same_numbers_same_file(self, tmp_path, table):
        for name in ("a.svg", "b.svg"):
            style.save(privacy.aats(table), tmp_path / name)
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
        assert "real against real" in (tmp_path / "a.svg").read_text()


class TestMembership:
    def test_pairs_are_joined_and_grey_without_power(self, table):
        figure = privacy.membership(table)
        axis = {axis.get_title(loc="left"): axis for axis in figure.axes}["frequency ratio"]
        bars = [line for line in axis.lines if line.get_linewidth() == 2.5]
        assert len(bars) == 3 * 2
        assert {line.get_color() for line in bars} == {"0.65", "#c00000"}  # found without canaries: no null result
        axis = {axis.get_title(loc="left"): axis for axis in figure.axes}["distance"]
        assert sum(line.get_color() != "0.65" for line in axis.lines if line.get_linewidth() == 2.5) == 3 * 2

    def test_an_attack_that_was_not_tried_with_canaries_has_no_panel_of_power(self, table):
        assert "denoising loss" not in titles(privacy.membership(table))

    def test_without_canaries_the_power_is_said_to_be_unknown(self, table):
        figure = privacy.membership(table[table["variant"] == ""])
        told = " ".join(text.get_text().replace("\n", " ") for axis in figure.axes for text in axis.texts)
        assert privacy.NO_CANARIES in told

    def test_without_attacks_it_says_so(self, table):
        figure = privacy.membership(table[~table["metric"].str.startswith("membership")])
        assert figure.axes[0].texts[0].get_text() == privacy.NO_ATTACKS


class TestRelatives:
    def test_heldout_samples_are_dashed_beside_the_shares_of_relatives(self, table):
        axis = privacy.relatives(table).axes[2]
        dashed = [line.get_ydata()[0] for line in axis.lines if line.get_linestyle() == "--"]
        expected = [of(style.ours(table), name, "heldout")["value"].mean() for name in privacy.DEGREES]
        assert dashed == pytest.approx(expected)

    def test_where_kinship_means_nothing_it_says_so(self):
        figure = privacy.relatives(judged(generators=("li_stephens",), labels=("A", "B"), kinship=False))
        assert figure.axes[2].texts[0].get_text().replace("\n", " ") == privacy.NO_KINSHIP
        assert len(dots(figure.axes[1])) == 1

    def test_without_an_audit_it_says_so(self, table):
        figure = privacy.relatives(table[table["metric"] != "duplicate_share"])
        assert figure.axes[0].texts[0].get_text() == privacy.NO_DUPLICATES
