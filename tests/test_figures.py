import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from syngeno import figures, metrics

mpl.use("Agg")


def numbers():
    rows = []
    for generator, value in (("ours", 0.5), ("theirs", 0.9)):
        for seed in (1, 2):
            found = [
                metrics.row(metric, value, against=against, group=group, low=value - 0.1, high=value + 0.1, n=9)
                for group in ("all", "encoder_space")
                for metric, against in (
                    ("aa_truth", "train"), ("aa_truth", "test"), ("aa_syn", "train"), ("privacy_loss", ""),
                )
            ]  # fmt: skip
            found += [metrics.row("recovery_rate", value, group="logistic_regression", against="test", n=9)]
            found += [metrics.row("ld_r2", value, group="0-1kb", n=9)]
            rows.append(metrics.table(found, generator=generator, fraction=100, seed=seed))
    table = pd.concat(rows, ignore_index=True)
    return metrics.over_seeds(table.assign(real=0.5, real_low=0.4, real_high=0.6))


class TestMetricFigures:
    @pytest.mark.parametrize("draw", [figures.aats, figures.recovery, figures.ld_decay])
    def test_same_numbers_same_file(self, tmp_path, draw):
        for name in ("a.svg", "b.svg"):
            figures.save(draw(numbers()), tmp_path / name)
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
        assert "real against real" in (tmp_path / "a.svg").read_text()

    def test_every_seed_of_every_generator_is_a_point(self):
        figure = figures.aats(numbers())
        points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
        assert sum(len(line.get_xdata()) for line in points) == 2 * 2 * 3

    def test_a_saturated_loss_is_drawn_hollow(self):
        table = numbers()
        saturated = table[(table["metric"] == "privacy_loss") & (table["generator"] == "ours")]
        table = pd.concat([table, saturated.assign(metric="aa_saturated", value=1.0)], ignore_index=True)
        faces = [line.get_markerfacecolor() for line in figures.aats(table).axes[1].lines if line.get_marker() == "o"]
        assert [face == "white" for face in faces] == [True, False]

    def test_no_linkage_is_said_and_not_drawn(self):
        table = numbers()
        figure = figures.ld_decay(table[table["metric"] != "ld_r2"])
        assert "too few pairs" in figure.axes[0].texts[0].get_text()


class TestLdBlocks:
    def test_train_below_and_the_panel_above_the_diagonal(self):
        train, ours = np.full((3, 3), 0.2), np.full((3, 3), 0.7)
        figure = figures.ld_blocks({"ours": ours}, train, "chromosome 1")
        shown = figure.axes[0].images[0].get_array()
        assert shown[2, 0] == pytest.approx(0.2)
        assert shown[0, 2] == pytest.approx(0.7)


class TestTraining:
    def test_marks_the_epoch_that_was_kept(self):
        history = pd.DataFrame({"epoch": [1, 2, 3], "train_loss": [3.0, 2.0, 1.0], "validation_loss": [3.0, 1.5, 2.0]})
        figure = figures.training(history)
        assert list(figure.axes[0].lines[-1].get_xdata()) == [2, 2]
