import re

import pandas as pd
import pytest
from judged import KINDS, judged

from syngeno.evaluate import metrics
from syngeno.report import html, landing

GENERATORS = [
    landing.Generator(
        name,
        f"What {name} is.",
        "linked" if name == "diffusion" else "",
        name != "copycat",
        100,
        {"1": f"../{name}/100/1"},
    )
    for name in KINDS
]
PICTURE = html.picture("LD decay", "**Does it decay?**\nIt should.\n", "<svg/>")


@pytest.fixture(scope="module")
def table():
    return judged(labels=("A", "B"), seeds=(1,))


@pytest.fixture
def samples():
    """100 samples: 60 of A, 40 of B, of each a quarter for tests."""
    labels, parts = ["A"] * 60 + ["B"] * 40, ["train", "train", "validation", "test"] * 25
    return pd.DataFrame({"label": labels, "split": parts}, index=[f"HG{i:05d}" for i in range(100)])


ABOUT = {
    "variants": 1234,
    "phased": True,
    "chromosomes": 3,
    "phased_by_beagle": 0,
    "neighbour_r2": 0.21,
    "linkage": "linked",
}
UNLINKED = ABOUT | {"neighbour_r2": 0.004, "linkage": "unlinked"}


def page(table, samples, **changed):
    asked = {
        "cohort": "mine", "version": "1.2.3", "date": "2026-01-31", "samples": samples,
        "judged": samples, "about": ABOUT,
        "relatives": pd.DataFrame(columns=["sample_a", "sample_b", "split_a", "split_b"]),
        "looked_for": "kinship", "generators": GENERATORS, "withheld": False, "pictures": [PICTURE],
    }  # fmt: skip
    return landing.landing_page(table, **{**asked, **changed})


def card(text, name):
    return text.split(f"<h3>{name}</h3>")[1].split('<div class="card')[0].split("<h2>")[0]


class TestLanding:
    def test_the_header_counts_and_says_what_wrote_it(self, table, samples):
        text = page(table, samples)
        assert "<h1>mine: synthetic genotypes, judged</h1>" in text
        assert "Written on 2026-01-31 by syngeno 1.2.3." in text
        for fact in ("100", "2", "1234", "phased", "linked variants"):
            assert f"<dd>{fact}</dd>" in text
        assert "50 training, 25 validation, 25 test samples (held out)" in text
        assert "<dd>unphased</dd>" in page(table, samples, about=ABOUT | {"phased": False})
        by_beagle = page(table, samples, about=ABOUT | {"phased_by_beagle": 2})
        assert "<dd>2 of 3 chromosomes phased by Beagle</dd>" in by_beagle
        assert "<dd>unlinked variants</dd>" in page(table, samples, about=UNLINKED)

    def test_our_choice_and_why(self, table, samples):
        text = page(table, samples)
        assert "Neighbouring variants are linked here (mean r2 0.21 within labels), so diffusion is our choice" in text
        assert "Our choice for linked variants, as here." in card(text, "diffusion")
        assert text.count("Our choice for") == 1
        unknown = page(table, samples, about=ABOUT | {"neighbour_r2": None, "linkage": ""})
        assert "too few variants or samples to tell" in unknown and "Our choice for" not in unknown
        other = page(table, samples, about=UNLINKED)
        assert "a generator of kind ancestry_factors, of which there is none here" in other
        assert "Our choice for unlinked variants" not in other

    def test_a_card_for_each_generator_with_three_lights_told_without_colour_too(self, table, samples):
        text = page(table, samples)
        for name in KINDS:
            own = card(text, name)
            assert f"What {name} is." in own
            assert re.findall(r"<span>(Faithful|Useful|Private): ", own) == ["Faithful", "Useful", "Private"]
            assert len(re.findall(r'class="lamp (?:good|fair|bad|unknown)" aria-hidden="true">[✓!✗?]<', own)) == 3

    def test_what_may_not_be_released_is_the_red_end_and_has_no_files(self, table, samples):
        own = card(page(table, samples), "copycat")
        assert "Private: leaks" in own
        assert "never to be released" in own
        assert "<a " not in own
        assert page(table, samples).index("<h3>copycat</h3>") > page(table, samples).index("<h3>theirs</h3>")

    def test_links_lead_from_the_summary_to_each_seed(self, table, samples):
        two = [GENERATORS[0]._replace(folders={"1": "../diffusion/100/1", "2": "../diffusion/100/2"})]
        text = page(table, samples, generators=two)
        for file in ("synthetic.vcf.gz", "synthetic.labels.tsv", "model_card.html", "officer.html"):
            assert f'href="../diffusion/100/2/{file}"' in text
        assert 'href="../diffusion/100/2/released/synthetic.vcf.gz"' in page(
            table, samples, generators=two, withheld=True
        )
        for file in ("scorecard.html", "audit.html", "metrics.tsv"):
            assert f'href="{file}"' in text

    def test_needs_no_network_and_names_no_sample(self, table, samples):
        relatives = pd.DataFrame(
            {"sample_a": ["HG00000"], "sample_b": ["HG00003"], "split_a": ["train"], "split_b": ["test"]}
        )
        text = page(table, samples, relatives=relatives)
        assert "http" not in text
        assert "HG0" not in text
        assert f'src="{PICTURE.uri}"' in text
        assert "It should." in text

    def test_is_honest_about_what_it_cannot_tell(self, table, samples):
        text = " ".join(page(table, samples).split())
        assert "That no light is red does not prove privacy." in text
        assert "Other attacks, or an attacker who knows more, may find more." in text

    def test_a_name_cannot_break_the_page(self, table, samples):
        assert "<script>" not in page(table, samples, cohort="<script>")

    def test_what_was_withheld_is_not_judged(self, samples):
        one = judged(generators=("diffusion",), labels=("A", "B"), seeds=(1,))
        released = one[(one["variant"] == "") & (one["metric"] == "recovery_rate") & (one["group"] == "all")]
        both = pd.concat([one[one["variant"] != "released"], released.assign(variant="released", value=0.123)])
        assert "0.123" in page(both, samples, generators=GENERATORS[:1], withheld=True)
        assert "0.123" not in page(both, samples, generators=GENERATORS[:1])

    def test_the_rules_stand_on_the_page(self, table, samples):
        rules = page(table, samples).split("How the lights are set")[1]
        assert "below 0.95" in rules
        assert "above 0.25" in rules
        assert "above 2 times the envelope" in rules

    def test_without_any_generator(self, table, samples):
        assert "No generator was found useful." in page(table.iloc[:0], samples, generators=[])


class TestWarnings:
    def test_relatives_on_both_sides(self, table, samples):
        relatives = pd.DataFrame(
            {
                "sample_a": ["HG00000", "HG00001", "HG00099", "HG00002"],
                "sample_b": ["HG00003", "HG00007", "HG00096", "HG00006"],
                "split_a": ["train", "train", "test", "validation"],
                "split_b": ["test", "test", "train", "test"],
            }
        )
        text = " ".join(page(table, samples, relatives=relatives).split())
        assert (
            "3 pairs of relatives (second degree or closer) stand on both sides of the split, most of them in A" in text
        )
        assert "pairs of relatives" not in page(table, samples)

    def test_how_relatives_were_looked_for(self, table, samples):
        assert "looked for" not in page(table, samples)
        assert "Relatives could not be looked for" in page(table, samples, looked_for="nothing")
        by = "by identical genotypes and the parents in the .fam only"
        assert by in " ".join(page(table, samples, looked_for="genotypes and pedigree").split())

    def test_labels_of_few_test_samples(self, table, samples):
        assert "Labels with fewer than 20 test samples: A, B." in page(table, samples)
        assert "Labels with fewer than" not in page(table, samples.assign(split="test"))
        many = samples.assign(label=[f"P{i % 25}" for i in range(100)])
        assert "Labels with fewer than 20 test samples: 25 of 25." in page(table, many)
        text = page(table, samples, judged=samples[samples["label"] == "B"])
        assert "Labels with fewer than 20 test samples: B." in text
        assert "<dd>100</dd>" in text

    def test_no_beagle(self, table, samples):
        without = table[~table["metric"].str.startswith("imputation")]
        assert "Imputation was not measured" in page(without, samples)
        assert "Imputation was not measured" not in page(table, samples)
        assert "Imputation was not measured" not in page(without, samples, about=UNLINKED)

    def test_attacks_without_power(self, table, samples):
        gains = table["metric"] == "membership_tpr_gain"
        blind = table.assign(low=table["low"].mask(gains & (table["generator"] == "pooled"), -0.01))
        blind.loc[blind["metric"] == "membership_tpr_at_1pct", "low"] = 0.0
        assert "No attack on pooled detects even planted canaries" in page(blind, samples)
        assert "detects even planted canaries" not in page(table, samples).split("How the lights")[0]

    def test_fewer_training_samples(self, table, samples):
        few = [GENERATORS[0]._replace(fraction=10)]
        assert "fits on 10 % of the training samples" in page(table.assign(fraction=10), samples, generators=few)


class TestByLabel:
    def test_the_privacy_loss_with_how_many_stand_behind_it(self, table, samples):
        rows = [metrics.row("privacy_loss", 0.3, group="A", low=0.2, high=0.4, n=15)]
        rows += [metrics.row("privacy_loss", 0.0, group="B", n=10), metrics.row("aa_saturated", 1, group="B", n=10)]
        own = metrics.table(rows, generator="diffusion", fraction=100, seed=1).assign(real_low=-0.1, real_high=0.1)
        text = page(pd.concat([table, own], ignore_index=True), samples).split("<h2>Risk by label</h2>")[1]
        assert '<td class="name">A</td><td>30</td><td>15</td><td class="outside">0.30 ▲' in text
        assert '<td class="blind">saturated</td>' in text

    def test_is_left_out_where_it_was_not_measured(self, table, samples):
        assert "Risk by label" not in page(table, samples)


class TestHints:
    def test_two_to_four_by_what_was_found(self, table, samples):
        hints = page(table, samples).split("What to try next")[1].split("</ul>")[0]
        assert 2 <= hints.count("<li>") <= landing.HINTS
        assert "theirs" in hints

    def test_an_envelope_that_is_too_wide(self, table, samples):
        wide = table["metric"] == "recovery_rate"
        wide = table.assign(value=table["value"].mask(wide, 0.7), real_low=table["real_low"].mask(wide, -1.0))
        asked = page(wide, samples, generators=[one for one in GENERATORS if one.name == "pooled"])
        assert "Ask for more splits" in asked
        few = table.assign(real_low=float("nan"), real_high=float("nan"))
        assert "Ask for more splits" in page(few, samples, generators=GENERATORS[:1])
        assert "Ask for more splits" not in page(table, samples)

    def test_linkage_that_was_lost(self, table, samples):
        hints = page(table, samples, generators=[one for one in GENERATORS if one.name == "independent"])
        assert "independent: linkage is lost" in hints


class TestSummary:
    @pytest.mark.parametrize(
        ("auc", "recovery", "distance", "said"),
        [
            (0.5, 1.0, 3.8, "Faithful and useful, and no leak was found: diffusion."),
            (0.5, 1.0, 9.9, "Useful, and no leak was found, but not faithful: diffusion."),
            (0.6, 1.0, 3.8, "Useful, but may leak: diffusion."),
            (0.9, 1.0, 3.8, "Each of the useful ones leaks."),
            (0.5, 0.1, 3.8, "No generator was found useful."),
        ],
    )
    def test_which_to_look_at(self, samples, auc, recovery, distance, said):
        one = judged(generators=("diffusion",), labels=("A", "B"), seeds=(1,))
        one = one[(one["metric"] != "privacy_loss") & (one["group"] != "denoising_loss")]
        area = (one["metric"] == "membership_auc") & (one["variant"] == "")
        one.loc[area, ["value", "real_low", "real_high"]] = [auc, 0.45, 0.55]
        one.loc[one["metric"] == "recovery_rate", ["value", "real_low", "real_high"]] = [recovery, 0.9, 1.1]
        one.loc[one["metric"] == "wasserstein_pc1_6", ["value", "real_low", "real_high"]] = [distance, 3.6, 3.9]
        rates = one["metric"] == "membership_tpr_at_1pct"
        one.loc[rates, ["low", "real_high"]] = [0.0, 0.06]
        one.loc[one["metric"].isin(["duplicate_share", "near_duplicate_share"]), "real_high"] = 0.1
        assert said in page(one, samples, generators=GENERATORS[:1])
