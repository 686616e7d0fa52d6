import re

import numpy as np
import pandas as pd
import pytest

from syngeno.evaluate import membership, metrics
from syngeno.evaluate.attacks import disclosure
from syngeno.report import html, officer, officer_attacks, officer_disclosure, officer_utility
from syngeno.report.verdicts import BAD, FAIR, GOOD, UNKNOWN

TRAINING = pd.Series(["A"] * 30 + ["B"] * 12, index=[f"HG{i:05d}" for i in range(42)])
SYNTHETIC = pd.Series(["A"] * 25 + ["B"] * 10, index=[f"SYN{i:06d}" for i in range(35)])
NOBODY = pd.DataFrame(columns=["sample_a", "sample_b", "split_a", "split_b"])
ENVELOPE = {"membership_auc": 0.56, "membership_tpr_at_1pct": 0.03, "duplicate_share": 0.01, "privacy_loss": 0.1,
            "near_duplicate_share": 0.01}  # fmt: skip


def samples(tested=120):
    return pd.DataFrame({"label": ["A"] * 30 + ["B"] * 12 + ["A"] * (tested - 9) + ["B"] * 9,
                         "split": ["train"] * 42 + ["test"] * tested})  # fmt: skip


def attack_rows(group="distance", auc=0.52, rate=0.0412):
    return [
        metrics.row("membership_auc", auc, group=group, low=auc - 0.03, high=auc + 0.03, n=42),
        metrics.row("membership_tpr_at_1pct", rate, group=group, low=max(rate - 0.0212, 0), high=rate + 0.0212, n=42),
    ]


def gain_rows(group="distance", low=0.1):
    return [metrics.row("membership_tpr_gain", low + 0.1, group=group, low=low, high=low + 0.2, n=42)]


def usual():
    """What the audit gives today, of a release that leaks nothing."""
    shares = [("duplicate_share", 0.0), ("near_duplicate_share", 0.0), ("high_risk", 0.06)]
    return [
        *attack_rows("all", rate=0.02), *attack_rows(rate=0.02),
        *[metrics.row(name, share, against="train", low=share, high=share + 0.02, n=50) for name, share in shares],
        metrics.row("duplicate_share", 0.0, group="heldout", against="train", low=0, high=0.02, n=120),
        metrics.row("privacy_loss", 0.02, low=-0.03, high=0.07, n=42),
        metrics.row("membership_auc", 0.55, group="distance", against="A", low=0.45, high=0.65, n=30),
        metrics.row("membership_auc", 0.61, group="distance", against="B", low=0.41, high=0.81, n=12),
        metrics.row("membership_auc", 0.58, group="distance", against=membership.MOST_ISOLATED, low=0.4, high=0.7, n=9),
    ]  # fmt: skip


def success(metric, group, train, test, naive=None, half=0.04):
    rates = {"train": train, "test": test} | ({"naive": naive} if naive is not None else {})
    return [
        metrics.row(f"{metric}_success", rate, group=group, against=against, low=rate - half, high=rate + half, n=42)
        for against, rate in rates.items()
    ]


def risk(metric, group, value, half):
    return [metrics.row(f"{metric}_risk", value, group=group, low=value - half, high=value + half, n=42)]


def disclosed():
    """What else is disclosed, and nothing is."""
    rows = [metrics.row("one_carrier_alleles", 0.0, against="train", low=0, high=0.02, n=200)]
    for name in officer_disclosure.CARRIERS:
        rows += success("inference", name, 0.53, 0.52) + risk("inference", name, 0.02, 0.1)
    rows += success("singling_out", "10 variants", 0.12, 0.11, 0.05) + risk("singling_out", "10 variants", 0.011, 0.04)
    rows += success("linkability", "all", 0.02, 0.02) + risk("linkability", "all", 0.0, 0.03)
    for group, value in (("median", 0.4), ("99 %", 1.9), ("largest", 2.7)):
        half = np.nan if group == "largest" else 0.1
        rows += [
            metrics.row(name, value, group=group, against="train", low=value - half, high=value + half, n=100)
            for name in ("private_run_cm", "private_run_cm_real")
        ]
    return rows + [
        metrics.row(name, value, group="longer than 1 cM", against="train", low=value - 0.1, high=value + 0.1, n=42)
        for name, value in (("shared_segments", 2.5), ("shared_segments_real", 2.4))
    ]


def table(rows, planted=None, variant="", seed=1):
    subject = {"generator": "diffusion", "fraction": 100, "seed": seed}
    found = [metrics.table(rows, variant=variant, **subject)]
    planted = {"planted 5 %, whole": gain_rows()} if planted is None else planted
    found += [metrics.table(some, variant=name, **subject) for name, some in planted.items()]
    found = pd.concat(found, ignore_index=True)
    for name, end in ENVELOPE.items():
        own = (found["metric"] == name) & (found["against"] != "A") & (found["against"] != "B")
        found.loc[own, ["real", "real_low", "real_high"]] = [end / 2, 0.0, end]
    return found


def release(**changed):
    usual = {
        "cohort": "mine", "generator": "diffusion", "fraction": 100, "seed": 1, "sentence": "Mosaics <of> people.",
        "source": "model", "epsilon": None, "variants": 12345, "contigs": ["15", "16"], "checksum": "ab12" * 16,
        "training": TRAINING, "synthetic": SYNTHETIC, "withheld": None, "drawn": [35, 36], "others": [],
    }  # fmt: skip
    return officer.Release(**{**usual, **changed})


def page(rows=None, planted=None, *, relatives=NOBODY, looked_for="kinship", tested=120, numbers=None, **changed):
    numbers = table([*usual(), *disclosed()] if rows is None else rows, planted) if numbers is None else numbers
    return officer.page(
        numbers, release(**changed), version="1.2.3", date="2026-01-31", samples=samples(tested), relatives=relatives,
        looked_for=looked_for,
    )  # fmt: skip


def texts(one):
    """All that a page says, each text once."""
    said = [one.title, one.made, one.verdict, *one.reasons, one.recommendation]
    for section in one.sections:
        said += [section.title, *section.said]
        said += [text for line in section.lines for text in (line.name, *(cell.text for cell in line.cells))]
    return said


def line(one, name):
    """The cells of the line of this name, joined."""
    (found,) = (line for section in one.sections for line in section.lines if line.name == name)
    return " ".join(cell.text for cell in found.cells)


def section(one, title):
    (found,) = (some for some in one.sections if some.title == title)
    return " ".join(found.said)


class TestVerdict:
    def test_no_leak_is_no_proof(self):
        one = page()
        assert one.verdict == "No leak was found by what was measured."
        assert one.reasons == ["That nothing was found does not prove that there is nothing to find."]

    def test_says_what_it_does_not_cover(self):
        one = page(usual())
        assert one.verdict == "No leak was found by what was measured."
        assert one.reasons[0] == (
            "Not measured, and so not covered by this verdict: singling out; linkability; inference, 1-2 carriers; "
            "inference, 3-5 carriers; inference, 6-20 carriers; variants of one person; private stretches."
        )

    def test_without_attacks_nothing_can_be_told(self):
        one = page([])
        assert one.verdict == "Whether this release leaks cannot be told."
        assert "membership attacks" in one.reasons[-1]

    def test_attacks_without_power(self):
        one = page(planted={"planted 5 %, whole": gain_rows(low=-0.1)})
        assert one.verdict == "Whether this release leaks cannot be told."
        assert "would not have noticed even planted copies" in one.reasons[0]

    def test_an_attack_that_recognises_is_a_leak(self):
        one = page([*usual()[4:], *attack_rows("all", 0.9, 0.6), *attack_rows(auc=0.9, rate=0.6)])
        assert one.verdict == "A leak was found."
        assert "A leak, by the attacks below: distance." in one.reasons
        assert any("AUC 0.900 (0.870 to 0.930)" in text for text in one.reasons)

    @pytest.mark.parametrize(
        ("rows", "verdict", "reason"),
        [
            ([metrics.row("one_carrier_alleles", 0.015, against="train", n=200)], "A leak was found.",
             "The release has 3 variants that one training individual alone carries."),
            (risk("linkability", "5 nearest", 0.06, 0.05), "There are signs of a leak.",
             "Linkability, 5 nearest: a risk of 0.06 (0.01 to 0.11) above the control."),
            ([metrics.row("private_run_cm", 0.9, group="99 %", low=0.8, high=1.0, n=9),
              metrics.row("private_run_cm_real", 0.6, group="99 %", low=0.5, high=0.7, n=9)],
             "There are signs of a leak.",
             "Private stretches are longer than those of held-out individuals (99 %, by over 10 %)."),
            ([metrics.row("membership_auc", 0.95, group="distance", against="B", low=0.85, high=1.0, n=12)],
             "There are signs of a leak.", "Label at the highest risk: B, AUC 0.95 (0.85 to 1.00)."),
        ],
    )  # fmt: skip
    def test_is_worse_where_other_numbers_are(self, rows, verdict, reason):
        one = page([*usual(), *rows])
        assert one.verdict == verdict and reason in one.reasons

    def test_of_this_seed_alone(self):
        leak = table([*usual()[4:], *attack_rows("all", 0.9, 0.6), *attack_rows(auc=0.9, rate=0.6)], seed=2)
        both = pd.concat([table([*usual(), *disclosed()]), leak], ignore_index=True)
        assert page(numbers=both).verdict == page().verdict
        assert page(numbers=both, seed=2).verdict == "A leak was found."


class TestReleased:
    def test_counts(self):
        one = page(others=["yours"])
        assert line(one, "Individuals").startswith(
            "35 synthetic individuals. The data of 42 real individuals were used"
        )
        assert line(one, "By label") == "Synthetic (and training) individuals: A 25 (30), B 10 (12)."
        assert "2 synthetic cohorts" in line(one, "All cohorts")
        assert "71 synthetic individuals over all cohorts" in line(one, "All cohorts")
        assert "what is released of yours, if" in line(one, "All cohorts")
        assert line(one, "Variants").startswith("12,345 positions of the genome, on chromosomes 15, 16")
        assert "seed 1" in line(one, "Made by") and "Mosaics <of> people." in line(one, "Made by")
        assert one.made == "Written on 2026-01-31 by syngeno 1.2.3."
        assert line(one, "File").endswith(f"SHA-256 {'ab12' * 16}.")

    def test_what_was_withheld_and_that_the_rest_is_judged(self):
        withheld = pd.DataFrame({"label": ["A", "A", "B"], "why": ["near", "risky", "risky"]})
        numbers = pd.concat(
            [table(attack_rows(auc=0.9, rate=0.6)), table(attack_rows(rate=0.0412), {}, "released")], ignore_index=True
        )
        one = page(numbers=numbers, withheld=withheld)
        assert line(one, "Withheld").startswith("3 synthetic individuals of 38; near 1, risky 2; A 2, B 1. ")
        assert "names 4.1 " in line(one, "Distance")
        assert line(page(), "Withheld") == "No individual was withheld."

    def test_another_tools_cohort(self):
        assert "assumed to have been used by the other tool" in line(page(source="files"), "Individuals")


class TestAttacks:
    def test_each_has_words_of_its_own(self):
        assert set(officer_attacks.ATTACKS) == set(membership.ATTACK_NAMES)

    def test_in_words_and_by_the_digits_of_the_intervals(self):
        found = line(page(attack_rows()), "Distance")
        assert "Of 100 individuals whose data were used it names 4.1 (2.0 to 6.2) while wrongly accusing 1 of" in found
        assert "AUC 0.520 (0.490 to 0.550)." in found
        assert "Needs the release." in found

    def test_a_rate_that_is_not_there(self):
        one = page([metrics.row("membership_auc", 0.5, group="distance", low=0.4, high=0.6, n=42)])
        assert "it names not measured while" in line(one, "Distance")
        assert "over guessing: not measured" in section(one, TestThreshold.TITLE)

    def test_what_it_would_have_noticed(self):
        planted = {
            "planted 5 %, whole": gain_rows(),
            "planted 5 %, pieces of 1 cM": gain_rows(low=-0.1),
            "planted 5 %, pieces of 3 cM": gain_rows(),
            "planted 5 %, pieces of 5 cM": gain_rows(),
        }
        assert "Yes: it notices whole individuals and patchworks of two in pieces of 3 and 5 cM" in line(
            page(planted=planted), "Distance"
        )
        assert "Yes: it notices whole individuals." in line(page(), "Distance")
        assert "does not reassure" in line(page(planted={"planted 5 %, whole": gain_rows(low=-0.1)}), "Distance")
        assert "its power is not known" in line(page(planted={}), "Distance")

    def test_the_model_is_attacked_by_whoever_has_it(self):
        one = page([*usual(), *attack_rows("denoising_loss", 0.9, 0.6)])
        assert "Needs the file of the model." in line(one, "The model itself")
        assert "Never hand out the model." in line(one, "The model itself")
        assert one.verdict == "No leak was found by what was measured."
        assert "beyond the one attack above" in section(one, "What was not tested")
        assert "beyond the one attack above" not in section(page(), "What was not tested")

    def test_shadow_models_are_untested_until_they_were_tried_on_this_generator(self):
        rows = [metrics.row("membership_auc", 0.8, group="painting", low=0.7, high=0.9, n=8)]
        for fraction, untested in ((100, False), (50, True)):
            of_runs = metrics.table(rows, variant=membership.LIRA, generator="diffusion", fraction=fraction, seed="all")
            said = section(page(numbers=pd.concat([table(usual()), of_runs], ignore_index=True)), "What was not tested")
            assert ("LiRA" in said) == untested

    def test_relatives_stand_where_the_numbers_do(self):
        pair = pd.DataFrame({"sample_a": ["HG1"], "sample_b": ["HG2"], "split_a": ["train"], "split_b": ["test"]})
        title = "Attacks that were tried"
        assert "1 pair was found of a training individual and one who is not" in section(page(relatives=pair), title)
        assert "no pair was found" in section(page(), title)
        assert "could not be looked for" in section(page(looked_for="nothing"), title)
        assert "by identical genotypes and the parents in the .fam only" in section(
            page(looked_for="genotypes and pedigree"), title
        )

    def test_few_heldout_individuals(self):
        assert "With 60 held-out individuals" in section(page(tested=60), "Attacks that were tried")
        assert "With 120 held-out" not in section(page(), "Attacks that were tried")


class TestBetterThanGuessing:
    def test_an_attack_with_power_that_is_no_leak_is_a_sign_yet(self):
        """Its verdict is that it detects canaries, which must not hide what it found without them."""
        rows = [*usual()[4:], *attack_rows("all", auc=0.6, rate=0.01), *attack_rows(auc=0.6, rate=0.01)]
        one = page(rows, {"planted 5 %, whole": gain_rows()})
        assert "Better than guessing, by the attacks below: distance." in one.reasons
        assert "Better than guessing, but sure of no one." in line(one, "Distance")


class TestThreshold:
    TITLE = "Beside a threshold of regulators"

    def test_the_advantage_by_hand(self):
        assert officer_attacks.advantage(0.01) == 0
        assert officer_attacks.advantage(1) == 1
        assert officer_attacks.advantage(0.5, 0.2) == pytest.approx(0.375)

    def test_the_largest_with_the_largest_bound(self):
        # (.109 - .01) / .99 = .1, (.0595 - .01) / .99 = .05; the bound is of the second, (.2575 - .01) / .99 = .25.
        rows = [
            metrics.row("membership_auc", 0.5, group="distance", low=0.4, high=0.6, n=42),
            metrics.row("membership_tpr_at_1pct", 0.109, group="distance", low=0.01, high=0.2, n=42),
            metrics.row("membership_auc", 0.5, group="painting", low=0.4, high=0.6, n=42),
            metrics.row("membership_tpr_at_1pct", 0.0595, group="painting", low=0.01, high=0.2575, n=42),
        ]
        said = section(page(rows), self.TITLE)
        assert "of 2 attacks on the release: 0.10 (attack: distance), highest upper bound of any attack 0.25" in said
        assert "That is above the threshold of 0.09." in said

    @pytest.mark.parametrize(
        ("rate", "high", "words", "verdict"),
        [
            (0.02, 0.09, "does not exceed the threshold of 0.09", "No leak was found by what was measured."),
            (0.02, 0.2, "does not rule out that it exceeds", "Whether this release leaks cannot be told."),
            (0.12, 0.2, "That is above the threshold", "There are signs of a leak."),
        ],
    )
    def test_beside_the_threshold(self, rate, high, words, verdict):
        rows = [one for one in usual() if one["metric"] != "membership_tpr_at_1pct"]
        rows.append(metrics.row("membership_tpr_at_1pct", rate, group="distance", low=0.005, high=high, n=42))
        numbers = table(rows)
        numbers.loc[numbers["metric"] == "membership_tpr_at_1pct", "real_high"] = 0.15
        one = page(numbers=numbers)
        assert words in section(one, self.TITLE)
        assert one.verdict == verdict

    def test_in_which_sense(self):
        said = section(page(), self.TITLE)
        assert "European Medicines Agency (policy 0070)" in said and "Only sizes are compared" in said

    def test_the_models_own_attack_does_not_count(self):
        one = page([*usual(), *attack_rows("denoising_loss", 0.9, 0.6)])
        assert "of 1 attack on the release: 0.010" in section(one, self.TITLE)


class TestWeakest:
    def test_the_label_that_an_attack_goes_farthest_in(self):
        found = line(page(), "Label at the highest risk")
        assert found.startswith("B (12 training individuals): AUC 0.61 (0.41 to 0.81) (attack: distance), the highest")
        assert "(9 training individuals): AUC 0.58 (0.40 to 0.70)" in line(page(), "Most unusual individuals")

    def test_a_sure_label_counts_behind_an_unsure_one_that_goes_farther(self):
        rows = [
            metrics.row("membership_auc", 0.9, group="painting", against="A", low=0.85, high=0.95, n=30),
            metrics.row("membership_auc", 0.95, group="distance", against="B", low=0.6, high=1.0, n=12),
        ]
        one = page([*usual(), *rows])
        assert line(one, "Label at the highest risk").startswith("B (12 training individuals): AUC 0.95 (0.60 to 1.00)")
        assert "Label at the highest risk: A, AUC 0.90 (0.85 to 0.95)." in one.reasons

    def test_few_heldout_individuals_of_a_label(self):
        assert line(page(), "Labels of few held-out individuals").startswith("B: fewer than 20.")

    def test_labels_that_are_not_judged(self):
        rows = [one for one in usual() if one["against"] != "B"]
        assert line(page(rows), "Labels too small to be judged") == "B."

    def test_carriers_are_those_of_the_audit(self):
        """Which the page cannot ask, as its loops would have to be compiled for a page."""
        assert list(officer_disclosure.CARRIERS) == list(disclosure.CARRIERS)
        assert officer_disclosure.FEW_CARRIERS == disclosure.SHARED_BY


class TestQuestions:
    def test_main_control_naive_and_risk(self):
        assert line(page(), "Singling out, 10 variants") == (
            "12.0 (8.0 to 16.0) 11.0 (7.0 to 15.0) 5.0 (1.0 to 9.0) 0.011 (-0.029 to 0.051)"
        )
        assert "50, by design" in line(page(), "Inference, 1-2 carriers")

    def test_a_risk_that_real_samples_reach_is_no_sign(self):
        numbers = table([*usual(), *risk("linkability", "5 nearest", 0.06, 0.05)])
        of_risk = numbers["metric"] == "linkability_risk"
        for end, sign in ((0.07, False), (0.05, True)):
            numbers.loc[of_risk, "real_high"] = end
            one = page(numbers=numbers)
            assert ("gives something away" in line(one, "Linkability, 5 nearest")) == sign
            assert (one.verdict == "There are signs of a leak.") == sign

    def test_not_measured(self):
        one = page(usual())
        for name in ("Singling out", "Linkability", *(f"Inference, {group}" for group in officer_disclosure.CARRIERS)):
            assert line(one, name) == " ".join(["not measured"] * 4)
        assert line(page([*usual(), *risk("linkability", "all", 0.0, 0.1)]), "Linkability") == (
            "not measured not measured not measured 0 (-0.10 to 0.10)"
        )

    def test_no_better_than_a_guess_is_too_weak(self):
        rows = success("singling_out", "10 variants", 0.04, 0.04, 0.05) + risk("singling_out", "10 variants", 0, 0.1)
        assert "too weak to tell" in line(page([*usual(), *rows]), "Singling out, 10 variants")


class TestRare:
    def test_none_of_one_carrier(self):
        assert line(page(), "Variants of one person").endswith("has, too: none of 200.")

    def test_some_of_one_carrier(self):
        rows = [metrics.row("one_carrier_alleles", 0.015, against="train", n=200)]
        assert "has, too: 3 of 200. Whoever knows of a carrier" in line(
            page([*usual()[1:], *rows]), "Variants of one person"
        )

    def test_no_more_than_of_heldout_individuals_is_chance(self):
        rows = [
            metrics.share_row("one_carrier_alleles", 0.9, 200, "all", "train"),
            metrics.share_row("one_carrier_alleles", 0.88, 50, "all", "test"),
        ]
        one = page([*usual()[1:], *rows])
        assert "the release has 44 of 50: so many come again by chance." in line(one, "Variants of one person")
        assert not [text for text in one.reasons if "variants that one" in text]
        rows[1] = metrics.share_row("one_carrier_alleles", 0.1, 50, "all", "test")
        assert [text for text in page([*usual()[1:], *rows]).reasons if "180 variants that one" in text]

    def test_private_stretches(self):
        assert "median 0.40 (0.30 to 0.50), of held-out individuals 0.40" in line(page(), "Private stretches")
        assert "largest 2.7, of held-out individuals 2.7." in line(page(), "Private stretches")

    @pytest.mark.parametrize(
        ("group", "value", "half", "sign"),
        [
            ("99 %", 0.62, 0.005, False),  # sure, and no longer than another set of real individuals might be
            ("99 %", 0.70, 0.005, True),
            ("99 %", 0.70, 0.2, False),  # long, and not sure
            ("median", 0.70, 0.005, False),
        ],
    )
    def test_only_private_stretches_that_are_long_enough_to_matter_are_a_sign(self, group, value, half, sign):
        rows = [
            metrics.row(name, cm, group=group, against="train", low=cm - width, high=cm + width, n=100)
            for name, cm, width in (("private_run_cm", value, half), ("private_run_cm_real", 0.6, 0.005))
        ]
        one = page([*usual(), *rows])
        assert (one.verdict == "There are signs of a leak.") == sign
        assert any("Private stretches are longer" in text for text in one.reasons) == sign

    def test_not_measured(self):
        one = page(attack_rows())
        for name in ("Variants of one person", "Private stretches", "Copies", "Near copies", "Distances"):
            assert line(one, name).lower().endswith("not measured.")

    def test_copies(self):
        assert line(page(), "Copies") == "0 of 50 synthetic individuals. Among 120 held-out individuals: 0."


class TestSimilarity:
    def test_is_not_called_privacy(self):
        assert "Similarity, which is not privacy" in texts(page())
        assert "6.0 (6.0 to 8.0) of 100 synthetic individuals" in line(page(), "Distances")
        said = "longer than 1 cM: 2.50 (2.40 to 2.60), of held-out individuals 2.40 (2.30 to 2.50)."
        assert line(page(), "Shared stretches").endswith(said)
        assert line(page(attack_rows()), "Shared stretches").endswith("not measured.")

    def test_a_saturated_loss_says_nothing(self):
        saturated = page([*usual(), metrics.row("aa_saturated", 1.0, n=42)])
        assert "saturated" in line(saturated, "Adversarial accuracy")


def used():
    """What the utility and the fidelity suite give."""
    return [
        metrics.row("accuracy", 0.72, against="test", low=0.63, high=0.79, n=120),
        metrics.row("accuracy_real", 0.8, against="test", low=0.72, high=0.86, n=120),
        metrics.row("accuracy_chance", 0.4, against="test", n=120),
        metrics.row("accuracy_ratio", 0.9, against="test", low=0.8, high=1.0, n=120),
        metrics.row("recovery_rate", 0.8, against="test", low=0.6, high=1.1, n=120),
        metrics.row("imputation_ratio", 0.76, against="test", low=0.74, high=0.78, n=4000),
        metrics.row("allele_frequency_r", 0.97, against="test", n=12345),
        metrics.row("allele_frequency_r", 0.99, against="train", n=12345),
        metrics.row("ld_r", 0.91, against="train", n=5000),
        metrics.row("ld_r", 0.88, group="within_labels", against="train", n=5000),
    ]


class TestUsefulness:
    TITLE = "What the release is good for"
    NAMES = tuple(name for name, _ in officer_utility.USES.values())

    def test_each_number_beside_that_of_real_individuals(self):
        numbers = table([*usual(), *used()])
        numbers.loc[numbers["metric"] == "recovery_rate", ["real", "real_low", "real_high"]] = [1.0, 0.84, 1.19]
        one = page(numbers=numbers)
        assert line(one, "Classifier, above guessing").endswith("individuals. 0.80 (0.60 to 1.10) 0.84 to 1.19")
        assert line(one, "Classifier, all answers").endswith("one label. 0.90 (0.80 to 1.00) not measured")
        assert line(one, "Filling in variants").endswith("0.760 (0.740 to 0.780) not measured")
        assert line(one, "Similarity: frequencies").endswith("0.97 (no interval) not measured")
        assert line(one, "Similarity: linkage").endswith("0.91 (no interval) not measured")
        assert line(one, "Similarity: linkage within labels").endswith("0.88 (no interval) not measured")
        said = section(one, self.TITLE)
        assert "1 is as good as the real individuals" in said and "Similarity is no measure of privacy" in said
        assert "synthetic ones tells the label of 72 (63 to 79), one that learns from real ones that of 80" in said
        assert "a constant guess that of 40." in said

    def test_not_measured(self):
        one = page()
        for name in self.NAMES:
            assert line(one, name).endswith("not measured not measured")
        assert "Of 100 held-out individuals a classifier" not in section(one, self.TITLE)

    def test_a_label_that_cannot_be_learnt(self):
        one = page([*usual(), *(row for row in used() if row["metric"] != "recovery_rate")])
        assert line(one, "Classifier, above guessing").endswith(
            "cannot be told: real individuals do not teach the label either not measured"
        )

    def test_is_no_part_of_the_verdict(self):
        bad = [row | {"value": 0.1, "low": 0.05, "high": 0.15} for row in used()]
        one, other = page(), page([*usual(), *disclosed(), *bad])
        assert (one.verdict, one.reasons, one.recommendation) == (other.verdict, other.reasons, other.recommendation)

    def test_of_what_is_released(self):
        numbers = pd.concat([table(used()), table([row | {"value": 0.5} for row in used()], {}, "released")])
        withheld = pd.DataFrame({"label": ["A"], "why": ["near"]})
        assert "0.50 (0.60 to 1.10)" in line(page(numbers=numbers, withheld=withheld), "Classifier, above guessing")


class TestRecommendation:
    @pytest.mark.parametrize(
        ("rows", "planted", "level", "words"),
        [
            (None, None, GOOD, "A release can be considered"),
            ([*usual(), *risk("linkability", "5 nearest", 0.06, 0.05)], None, FAIR, "No open release"),
            ([*usual(), metrics.row("one_carrier_alleles", 0.015, against="train", n=200)], None, BAD,
             "No release as it is"),
            (usual(), {"planted 5 %, whole": gain_rows(low=-0.1)}, UNKNOWN, "No release yet"),
        ],
    )  # fmt: skip
    def test_follows_from_the_verdict(self, rows, planted, level, words):
        one = page(rows, planted)
        assert one.verdict == officer.VERDICTS[level]
        assert one.recommendation.startswith(words)
        assert "The decision is the officer's" in one.recommendation

    def test_every_verdict_has_one_sentence(self):
        assert set(officer.RECOMMENDATIONS) == set(officer.VERDICTS)
        for text in officer.RECOMMENDATIONS.values():
            assert text.count(".") == 1 and text.endswith(".")
            assert not re.search("anonym|safe", text, re.IGNORECASE)


class TestSigned:
    def test_fields_stand_once_with_room_to_write(self):
        one = page()._asdict()
        web, plain = html.page("officer", **one), html.markdown("officer", **one)
        fields = ["Legal basis", "Recipients and their obligations", "Conditions", "Name", "Role", "Date"]
        for name in fields:
            assert web.count(f'<dt>{name}</dt><dd class="blank') == 1
            assert len(re.findall(rf"^{name}: \.{{40}}$", plain, re.MULTILINE)) == 1


class TestFormats:
    @pytest.mark.parametrize("rows", [None, [], usual(), [*usual(), *used()]], ids=["all", "nothing", "usual", "used"])
    def test_html_and_markdown_say_the_same(self, rows):
        one = page(rows)
        web, plain = (write("officer", **one._asdict()) for write in (html.page, html.markdown))
        web = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", web.split("</head>")[1]))
        for said in texts(one):
            for mark, word in (("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&#34;", '"')):
                web = web.replace(mark, word)
            assert said in web
            assert said in plain.replace("\\", "")
        for said in (*officer.DECISIONS, *officer.TERMS, *officer.SIGNED):
            assert said in web and said in plain

    def test_promises_nothing(self):
        for rows in (None, []):
            text = " ".join(texts(page(rows))) + html.page("officer", **page(rows)._asdict())
            assert not re.search("anonym", text, re.IGNORECASE)
        assert "Genetic data remain personal data" in text
        assert "No mathematical guarantee" in text
        assert "epsilon 8" in " ".join(texts(page(epsilon=8.0)))

    def test_names_no_sample_and_needs_no_network(self):
        text = html.page("officer", **page()._asdict())
        assert not re.search(r"HG\d|SYN\d|https?:|<script", text)

    def test_markdown_of_a_label_with_marks(self):
        odd = TRAINING.replace("A", "*A* <b>")
        text = html.markdown("officer", **page(training=odd, synthetic=odd)._asdict())
        assert r"\*A\* \<b> 30 (30)" in text

    def test_no_table_is_wider_than_the_page(self):
        text = html.page("officer", **page()._asdict())
        assert "table-layout: fixed" in text and 'class="wide"' not in text
