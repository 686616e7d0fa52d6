import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from judged import KINDS, judged

from syngeno.evaluate.metrics import of, ours
from syngeno.models import catalogue
from syngeno.report.figures import tradeoff

mpl.use("Agg")

MARKERS = {name: kind.marker for name, kind in catalogue.KINDS.items()}


@pytest.fixture(scope="module")
def table():
    return judged(labels=("AFR", "EUR"))


@pytest.fixture
def drawn(table):
    figure = tradeoff.tradeoff(table, KINDS, MARKERS)
    yield figure
    plt.close(figure)


def markers(axis):
    return [line for line in axis.lines if line.get_marker() not in ("None", "_", "|", "", None)]


class TestTradeoff:
    def test_a_point_per_generator_and_seed_in_both_panels(self, drawn):
        for axis in drawn.axes:
            assert len(markers(axis)) == len(KINDS) * 2

    def test_recovery_across_and_privacy_up(self, table, drawn):
        own = ours(table)
        for axis, metric in zip(drawn.axes, ("privacy_loss", "membership_auc"), strict=True):
            x = of(own, "recovery_rate").set_index(["generator", "seed"])["value"]
            y = of(own, metric).set_index(["generator", "seed"])["value"]
            expected = {(round(x[key], 9), round(y[key], 9)) for key in x.index}
            found = {(round(line.get_xdata()[0], 9), round(line.get_ydata()[0], 9)) for line in markers(axis)}
            assert found == expected

    def test_each_name_stands_once_and_covers_no_other(self, drawn):
        for axis in drawn.axes:
            notes = [note for note in axis.texts if note.get_text()]
            assert sorted(note.get_text() for note in notes) == sorted(KINDS)
            boxes = [note.get_window_extent() for note in notes]
            assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])

    def test_the_kind_gives_the_marker(self, table):
        figure = tradeoff.tradeoff(table[table["generator"] == "markov"], {"markov": "any"}, {"any": "D"})
        assert {line.get_marker() for line in markers(figure.axes[0])} == {"D"}
        plt.close(figure)

    def test_saturated_losses_and_powerless_attacks_are_hollow(self, table):
        chosen = table[table["generator"].isin(["markov", "independent"]) & (table["seed"] == "1")].copy()
        gain = (chosen["metric"] == "membership_tpr_gain") & (chosen["generator"] == "markov")
        chosen.loc[gain, "low"] = -0.5
        figure = tradeoff.tradeoff(chosen, KINDS, MARKERS)
        loss, area = (
            {line.get_marker() for line in markers(axis) if line.get_markerfacecolor() == "white"}
            for axis in figure.axes
        )
        assert loss == {MARKERS["independent"]}
        assert area == {MARKERS["markov"]}
        plt.close(figure)

    def test_the_envelope_is_a_box(self, table, drawn):
        row = of(ours(table), "membership_auc").iloc[0]
        box = next(one.get_paths()[0].get_extents() for one in drawn.axes[1].collections if len(one.get_facecolor()))
        assert (box.y0, box.y1) == pytest.approx((row["real_low"], row["real_high"]))

    def test_without_recovery_it_says_why(self, table):
        figure = tradeoff.tradeoff(table[table["metric"] != "recovery_rate"], KINDS, MARKERS)
        assert "labels that can be learnt" in figure.axes[0].texts[0].get_text()
        plt.close(figure)

    def test_without_attacks_their_panel_says_why(self, table):
        figure = tradeoff.tradeoff(table[table["metric"] != "membership_auc"], KINDS, MARKERS)
        loss, area = figure.axes
        assert len(markers(loss)) == len(KINDS) * 2
        assert area.texts[0].get_text().replace("\n", " ") == tradeoff.NO_ATTACK
        plt.close(figure)

    def test_the_order_of_rows_does_not_move_a_point(self, table):
        shuffled = pd.concat([table.iloc[::-1]], ignore_index=True)
        figure = tradeoff.tradeoff(shuffled, KINDS, MARKERS)
        again = tradeoff.tradeoff(table, KINDS, MARKERS)
        for a, b in zip(figure.axes, again.axes, strict=True):
            assert sorted(line.get_xdata()[0] for line in markers(a)) == sorted(
                line.get_xdata()[0] for line in markers(b)
            )
        plt.close(figure)
        plt.close(again)
