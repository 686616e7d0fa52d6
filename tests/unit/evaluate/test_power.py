import numpy as np
import pandas as pd
import pytest
from judged import judged

from syngeno.evaluate import membership, metrics


def attacked(gain, low, *, tpr=0.01, tpr_low=0.0, attack="distance", generator="g", seed=1):
    """An attack on a generator, without plants and with them."""
    subject = {"generator": generator, "fraction": 100, "seed": seed}
    base = [
        metrics.row("membership_auc", 0.5, group=attack, n=9),
        metrics.row("membership_tpr_at_1pct", tpr, group=attack, low=tpr_low, high=tpr + 0.01, n=9),
    ]
    planted = [
        metrics.row("membership_tpr_at_1pct", tpr + gain, group=attack, n=9),
        metrics.row("membership_tpr_gain", gain, group=attack, low=low, high=gain + 0.1, n=9),
    ]
    return pd.concat([metrics.table(base, **subject), metrics.table(planted, variant="planted 5 %", **subject)])


class TestPower:
    @pytest.mark.parametrize(
        ("gain", "low", "tpr_low", "verdict"),
        [
            (0.05, 0.01, 0.0, membership.SEES),
            (0.05, 0.0, 0.0, membership.POWERLESS),
            (0.05, -0.01, 0.0, membership.POWERLESS),
            (-0.05, -0.09, 0.0, membership.POWERLESS),
            (0.0, 0.0, 0.5, membership.KNOWS),
            (0.05, np.nan, 0.0, membership.POWERLESS),
        ],
    )
    def test_the_interval_of_the_paired_difference_decides(self, gain, low, tpr_low, verdict):
        table = membership.power(attacked(gain, low, tpr_low=tpr_low))
        assert list(table["verdict"]) == [verdict]
        assert bool(table["sees"].iloc[0]) is (verdict == membership.SEES)

    def test_both_rates_and_their_difference_stand_in_a_row(self):
        one = membership.power(attacked(0.05, 0.01)).iloc[0]
        assert (one["tpr"], one["planted"], one["gain"]) == pytest.approx((0.01, 0.06, 0.05))
        assert (one["gain_low"], one["gain_high"]) == pytest.approx((0.01, 0.15))

    def test_an_attack_without_plants_was_not_tried(self):
        table = attacked(0.05, 0.01)
        alone = membership.power(table[table["variant"] == ""])
        assert list(alone["verdict"]) == [membership.UNTRIED]
        assert not alone["sees"].any()

    def test_a_row_for_each_attack_generator_and_seed_and_none_for_means_or_releases(self):
        table = judged(generators=("diffusion", "copying"), labels=("A", "B"))
        released = table[table["metric"].str.startswith("membership") & (table["variant"] == "")]
        table = pd.concat([table, released.assign(variant="released")], ignore_index=True)
        table = pd.concat([table, released.assign(variant="released planted 5 %")], ignore_index=True)
        found = membership.power(table)
        assert len(found) == 2 * (5 + 4)  # the denoising loss of the diffusion model only
        assert not found.duplicated(["generator", "fraction", "seed", "attack"]).any()
        assert set(found["seed"]) == {"1", "2"}


class TestUnseen:
    def test_only_where_no_attack_on_the_people_saw_anything(self):
        blind = attacked(0.0, -0.01, generator="blind")
        seen = attacked(0.05, 0.01, generator="seen")
        known = attacked(0.0, 0.0, tpr=1.0, tpr_low=0.9, generator="known")
        half = [attacked(0.05, 0.01, generator="half"), attacked(0.0, -0.1, attack="density_ratio", generator="half")]
        untried = attacked(0.0, -0.1, generator="untried")
        table = pd.concat([blind, seen, known, *half, untried[untried["variant"] == ""]], ignore_index=True)
        assert membership.unseen(table) == {("blind", 100)}

    def test_an_attack_on_the_model_does_not_make_up_for_blindness(self):
        both = pd.concat([attacked(0.0, -0.01), attacked(0.9, 0.8, attack="denoising_loss")], ignore_index=True)
        assert membership.unseen(both) == {("g", 100)}
