import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from judged import judged

from syngeno.evaluate import membership
from syngeno.evaluate.metrics import of, ours
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
    def rows(self, axis):
        """The points of each row: (y, x, marker, hollow)."""
        return [
            (round(y), x, line.get_marker(), line.get_markerfacecolor() == "white", line.get_color())
            for line in axis.lines
            if line.get_marker() in ("o", "X")
            for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
        ]

    def test_a_row_for_each_attack_and_a_point_for_each_run(self, table):
        area, rate, _ = privacy.membership(table).axes
        names = [label.get_text() for label in area.get_yticklabels()]
        assert names == ["strongest attack", *membership.ATTACK_NAMES.values()]
        for axis in (area, rate):
            counts = np.bincount([row[0] for row in self.rows(axis)])
            assert counts.tolist() == [3 * 2] * (len(names) - 1) + [2]  # the diffusion model itself alone

    def test_areas_of_some_samples_are_no_points(self, table):
        area = privacy.membership(table).axes[0]
        drawn = sorted(x for y, x, *_ in self.rows(area) if y == 1)
        expected = of(ours(table), "membership_auc", "distance", "")["value"]
        assert drawn == pytest.approx(sorted(expected))

    def test_runs_of_a_row_do_not_lie_over_each_other(self, table):
        area = privacy.membership(table).axes[0]
        heights = [line.get_ydata()[0] for line in dots(area) if round(line.get_ydata()[0]) == 2]
        assert len(set(heights)) == 3 * 2

    def test_pairs_are_joined_and_crossed_without_power(self, table):
        power = privacy.membership(table).axes[2]
        names = list(membership.ATTACK_NAMES)
        markers = {name: [row for row in self.rows(power) if row[0] == 1 + k] for k, name in enumerate(names)}
        assert not [row for row in self.rows(power) if row[0] == 0]
        assert markers[membership.DENOISING] == []  # not tried with canaries
        for name, crossed in (("distance", 0), ("windows", 0), ("frequency_ratio", 4)):
            found = markers[name]
            assert sum(hollow for *_, hollow, _ in found) == 3 * 2
            assert sum(marker == "X" for _, _, marker, _, _ in found) == crossed
        # The copycat is found without canaries: no null result.
        leak = style.colours(table)["copycat", 100]
        assert {row[2] for row in markers["frequency_ratio"] if row[4] == leak} == {"o"}
        joined = [line for line in power.lines if line.get_linewidth() == 2]
        assert len(joined) == 10 * 3 * 2

    def test_envelopes_are_bands_in_their_rows(self, table):
        area = privacy.membership(table).axes[0]
        bands = [one for one in area.collections if isinstance(one, mpl.collections.PolyCollection)]
        assert len(bands) == 1 + 10
        assert all(len(one.get_paths()) == 1 for one in bands)

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
        expected = [of(ours(table), name, "heldout")["value"].mean() for name in privacy.DEGREES]
        assert dashed == pytest.approx(expected)

    def test_where_kinship_means_nothing_it_says_so(self):
        figure = privacy.relatives(judged(generators=("li_stephens",), labels=("A", "B"), kinship=False))
        assert figure.axes[2].texts[0].get_text().replace("\n", " ") == privacy.NO_KINSHIP
        assert len(dots(figure.axes[1])) == 1

    def test_without_an_audit_it_says_so(self, table):
        figure = privacy.relatives(table[table["metric"] != "duplicate_share"])
        assert figure.axes[0].texts[0].get_text() == privacy.NO_DUPLICATES
