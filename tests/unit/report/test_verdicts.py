import numpy as np
import pandas as pd
import pytest
from judged import judged

from syngeno.evaluate import membership, metrics
from syngeno.report import html, verdicts
from syngeno.report.verdicts import BAD, FAIR, FAITHFUL, GOOD, PRIVATE, UNKNOWN, USEFUL

ENVELOPES = {
    ("allele_frequency_r", "all", "test"): (0.98, 0.99),
    ("ld_r", "all", "train"): (0.96, 0.98),
    ("wasserstein_pc1_6", "all", "test"): (2.0, 4.0),
    ("recovery_rate", "all", "test"): (0.95, 1.05),
    ("membership_auc", "all", ""): (0.45, 0.55),
    ("membership_auc", "distance", ""): (0.45, 0.55),
    ("membership_tpr_at_1pct", "distance", ""): (-0.03, 0.06),
    ("duplicate_share", "all", "train"): (0.0, 0.0),
    ("privacy_loss", "all", ""): (-0.1, 0.1),
}
SOUND = {
    "allele_frequency_r": 0.985, "ld_r": 0.97, "wasserstein_pc1_6": 3.0, "recovery_rate": 1.0, "membership_auc": 0.5,
    "membership_tpr_at_1pct": 0.01, "duplicate_share": 0.0, "privacy_loss": 0.0,
}  # fmt: skip


def table(generator="g", seed=1, half=0.02, envelope=True, gain_low=0.01, **changed):
    """A generator like real samples in all that the lights ask for, but for what is changed; None is not measured."""
    values = {key: (SOUND | changed)[key[0]] for key in ENVELOPES}
    rows = [
        metrics.row(metric, value, group=group, against=against, low=value - half, high=value + half, n=100)
        for (metric, group, against), value in values.items()
        if value is not None
    ]
    subject = {"generator": generator, "fraction": 100, "seed": seed}
    shown = metrics.table(rows, **subject)
    if envelope:
        keys = zip(shown["metric"], shown["group"], shown["against"], strict=True)
        shown[["real_low", "real_high"]] = [ENVELOPES[key] for key in keys]
        shown["real"] = shown[["real_low", "real_high"]].mean(axis=1)
    gain = metrics.row("membership_tpr_gain", 0.05, group="distance", low=gain_low, high=0.1, n=100)
    return pd.concat([shown, metrics.table([gain], variant="planted 5 %, whole", **subject)], ignore_index=True)


def light(title, numbers):
    return next(light for light in verdicts.lights(numbers) if light.title == title)


class TestLights:
    @pytest.mark.parametrize(
        ("title", "changed", "level"),
        [
            (FAITHFUL, {}, GOOD),
            (FAITHFUL, {"ld_r": 0.9}, FAIR),
            (FAITHFUL, {"ld_r": 0.7}, BAD),
            (FAITHFUL, {"allele_frequency_r": 0.97}, FAIR),
            (FAITHFUL, {"allele_frequency_r": 0.9}, BAD),
            (FAITHFUL, {"wasserstein_pc1_6": 7.9}, FAIR),
            (FAITHFUL, {"wasserstein_pc1_6": 8.1}, BAD),
            (USEFUL, {}, GOOD),
            (USEFUL, {"recovery_rate": 0.9}, FAIR),
            (USEFUL, {"recovery_rate": 0.7}, BAD),
            (USEFUL, {"recovery_rate": None}, UNKNOWN),
            (PRIVATE, {}, GOOD),
            (PRIVATE, {"membership_auc": 0.6}, FAIR),
            (PRIVATE, {"membership_auc": 0.8}, BAD),
            (PRIVATE, {"privacy_loss": 0.2}, FAIR),
            (PRIVATE, {"privacy_loss": 0.4}, BAD),
            (PRIVATE, {"duplicate_share": 0.01}, BAD),
            (PRIVATE, {"gain_low": -0.01}, UNKNOWN),
            (PRIVATE, {"membership_auc": None}, UNKNOWN),
        ],
    )
    def test_each_state_of_each_light(self, title, changed, level):
        assert light(title, table(**changed)).level is level

    @pytest.mark.parametrize(
        ("title", "changed"),
        [
            (FAITHFUL, {"ld_r": 1.0, "allele_frequency_r": 0.999, "wasserstein_pc1_6": 0.1}),
            (USEFUL, {"recovery_rate": 1.3}),
            (PRIVATE, {"membership_auc": 0.3, "privacy_loss": -0.4}),
        ],
    )
    def test_better_than_real_samples_is_no_fault(self, title, changed):
        found = light(title, table(**changed))
        assert found.level is GOOD
        assert {one.level for one in found.findings} <= {GOOD, UNKNOWN}

    @pytest.mark.parametrize("gain_low", [0.01, -0.01, np.nan])
    def test_an_attack_that_recognises_training_samples_is_a_leak_with_and_without_canaries(self, gain_low):
        found = light(PRIVATE, table(membership_tpr_at_1pct=0.3, gain_low=gain_low))
        assert found.level is BAD
        assert found.word == "leaks"
        assert found.findings[0].words == "Training samples found at 1 % false positives (distance)"

    def test_a_rate_above_that_of_real_samples_that_may_be_chance_is_amber(self):
        assert light(PRIVATE, table(membership_tpr_at_1pct=0.07, half=0.065)).level is FAIR

    def test_a_silent_attack_without_power_is_no_green_light(self):
        found = light(PRIVATE, table(gain_low=-0.01))
        assert found.word == "cannot tell: the attacks are without power here" and found.powerless
        assert not light(PRIVATE, table()).powerless

    def test_without_attacks_nothing_is_said_of_their_power(self):
        assert not light(PRIVATE, table(gain_low=-0.01, membership_auc=None)).powerless
        assert not light(USEFUL, table(gain_low=-0.01)).powerless

    def test_a_saturated_privacy_loss_does_not_count(self):
        saturated = metrics.table([metrics.row("aa_saturated", 1, n=9)], generator="g", fraction=100, seed=1)
        found = light(PRIVATE, pd.concat([table(privacy_loss=0.4), saturated], ignore_index=True))
        assert found.level is GOOD
        assert ("Privacy loss", "saturated") in {(one.words, one.value) for one in found.findings}

    def test_the_worst_seed_decides_and_means_do_not(self):
        two = pd.concat([table(seed=1), table(seed=2, recovery_rate=0.7)], ignore_index=True)
        found = light(USEFUL, metrics.over_seeds(two))
        assert found.level is BAD
        assert found.findings[0].value == "0.700 (0.680 to 0.720)"

    def test_without_an_envelope_only_the_limit_tells(self):
        assert light(USEFUL, table(envelope=False)).level is UNKNOWN
        assert light(USEFUL, table(envelope=False, recovery_rate=0.7)).level is BAD
        assert light(USEFUL, table(envelope=False)).findings[0].beside == "no envelope"

    @pytest.mark.parametrize("title", [FAITHFUL, USEFUL, PRIVATE])
    def test_too_few_splits_cannot_tell(self, title):
        """Two splits have an envelope of -3.16 to 5.33, in which everything is green."""
        found = light(title, table().assign(real_low=np.nan, real_high=np.nan))
        assert found.level is UNKNOWN
        assert verdicts.FEW in {one.beside for one in found.findings}

    @pytest.mark.parametrize(("value", "level"), [(0.7, UNKNOWN), (0.9, GOOD), (1.2, GOOD), (-0.5, BAD)])
    def test_an_envelope_that_holds_what_is_past_the_limit_does_not_tell(self, value, level):
        wide = table(recovery_rate=value).assign(real=1.0, real_low=-0.3, real_high=2.3)
        found = light(USEFUL, wide)
        assert found.level is level
        assert found.findings[0].beside.endswith(verdicts.WIDE) is (level is UNKNOWN)

    def test_a_label_that_cannot_be_learnt_is_said_and_not_green(self):
        """Accuracy .245 against .256 from real samples, chance .17: a plain ratio of .957."""
        said = {"accuracy_ratio": 0.957, "accuracy_real": 0.256, "accuracy_chance": 0.17}
        rows = [metrics.row(name, value, n=100, against="test") for name, value in said.items()]
        measured = table(recovery_rate=None)
        found = light(USEFUL, pd.concat([measured, metrics.table(rows, generator="g", fraction=100, seed=1)]))
        assert found.level is UNKNOWN
        assert found.word == "cannot tell: the label cannot be learnt"
        (finding,) = found.findings
        assert (finding.value, finding.beside) == (
            "the label cannot be learnt",
            "accuracy of real samples 0.256, of a constant guess 0.17",
        )

    @pytest.mark.parametrize(("ratio", "level"), [(1.0, GOOD), (0.5, GOOD), (1.3, FAIR), (1.6, BAD)])
    def test_inflation_of_a_trait(self, ratio, level):
        inflated = metrics.row("association_lambda_ratio", ratio, n=100, group="trait", against="train")
        row = metrics.table([inflated], generator="g", fraction=100, seed=1).assign(
            real=1.0, real_low=0.8, real_high=1.2
        )
        found = light(USEFUL, pd.concat([table(), row]))
        assert found.level is level
        assert len(found.findings) == 2
        assert len(light(USEFUL, table()).findings) == 1  # most cohorts have no trait

    def test_nothing_measured_is_said(self):
        nothing = table().iloc[:0]
        assert [one.level for one in verdicts.lights(nothing)] == [UNKNOWN] * 3
        assert {finding.value for one in verdicts.lights(nothing) for finding in one.findings} == {"not measured"}

    def test_the_worst_finding_stands_first(self):
        found = light(FAITHFUL, table(ld_r=0.7, wasserstein_pc1_6=5.0))
        assert [one.level for one in found.findings[:3]] == [BAD, FAIR, GOOD]

    def test_digits_follow_the_interval(self):
        found = light(USEFUL, table(recovery_rate=0.987654, half=0.0421))
        assert (found.findings[0].value, found.findings[0].beside) == (
            "0.988 (0.946 to 1.030)", "real samples: 0.95 to 1.05",
        )  # fmt: skip

    def test_training_samples_in_the_place_of_synthetic_ones_are_red(self):
        numbers = judged(generators=("copycat",), labels=("A", "B"), seeds=(1,))
        assert light(PRIVATE, numbers[numbers["generator"] == "copycat"]).level is BAD

    def test_an_attack_on_the_model_does_not_turn_the_light(self):
        rows = [
            metrics.row(metric, 0.95, group=membership.DENOISING, low=0.9, high=0.99, n=9)
            for metric in ("membership_auc", "membership_tpr_at_1pct")
        ]
        model = metrics.table(rows, generator="g", fraction=100, seed=1)
        assert light(PRIVATE, pd.concat([table(), model], ignore_index=True)).level is GOOD


class TestMarked:
    @pytest.mark.parametrize(
        ("metric", "value", "expected"),
        [
            ("ld_r", 0.3, (html.BELOW, "outside")),
            ("ld_r", 0.7, (html.ABOVE, "")),
            ("hwe_outliers", 0.3, (html.BELOW, "")),
            ("hwe_outliers", 0.7, (html.ABOVE, "outside")),
            ("heterozygosity", 0.3, (html.BELOW, "outside")),
            ("heterozygosity", 0.7, (html.ABOVE, "outside")),
            ("ld_r", 0.5, ("", "")),
        ],
    )
    def test_red_is_on_the_bad_side(self, metric, value, expected):
        row = pd.Series({"metric": metric, "value": value, "real_low": 0.4, "real_high": 0.6})
        assert verdicts.marked(row) == expected


class TestRules:
    def test_every_rule_has_a_good_side_and_words(self):
        for rule, way, red in verdicts.rules():
            assert (rule.metric in metrics.HIGH_IS_GOOD) != (rule.metric in metrics.LOW_IS_GOOD)
            assert way in ("more", "less")
            assert red
            assert rule.light in verdicts.WORDS
