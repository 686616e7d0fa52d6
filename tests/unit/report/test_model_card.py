import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import judged

from syngeno.report import html, model_card

SETTINGS = {
    "kind": "made",
    "training": {"epochs": 60, "learning_rate": 2e-4},
    "genotypes": ["/home/me/secret.vcf.gz"],
    "labels": "samples.tsv",
    "note": "C:\\data\\me",
    "deep": [{"file": "../up"}],
}


@pytest.fixture(scope="module")
def table():
    return judged(labels=("A", "B"))


@pytest.fixture
def training():
    return pd.Series(["A"] * 30 + ["B"] * 12, index=[f"HG{i:05d}" for i in range(42)])


def made(table, training, generator="diffusion", settings=SETTINGS, source="model", linkage="linked", **more):
    synthetic = pd.Series(["A"] * 25 + ["B"] * 10, index=[f"SYN{i:06d}" for i in range(35)])
    return model_card.model_card_page(
        table, cohort="demo", generator=generator, fraction=100, seed=1, sentence="Mosaics <of> haplotypes.",
        suits="linked", linkage=linkage, source=source, settings=settings, training=training, synthetic=synthetic,
        **more,
    )  # fmt: skip


class TestCard:
    def test_counts_samples_and_names_nobody(self, table, training):
        page = made(table, training)
        assert '<td class="name">A</td><td>30</td><td>25</td>' in page
        assert '<td class="name">all</td><td>42</td><td>35</td>' in page
        assert not re.search(r"HG\d|SYN\d", page)

    def test_tells_no_path_of_the_machine(self, table, training):
        page = made(table, training)
        for hidden in ("secret", "samples.tsv", "/home", "C:\\", "../up"):
            assert hidden not in page
        assert '<td class="name">training.learning_rate</td><td class="words">0.0002</td>' in page

    def test_says_which_cohorts_it_suits(self, table, training):
        assert "our choice for cohorts of linked variants, as this one" in made(table, training)
        assert "cohorts of linked variants; those of this cohort are unlinked" in made(
            table, training, linkage="unlinked"
        )

    def test_says_nothing_of_it_where_linkage_cannot_be_told(self, table, training):
        assert "our choice" not in made(table, training, linkage="")

    def test_says_what_is_proven_and_what_is_not(self, table, training):
        assert "The model gives no differential-privacy guarantee." in made(table, training)
        private = {**SETTINGS, "training": {"epsilon": 8.0, "delta": 1e-5}}
        page = made(table, training, settings=private)
        assert "no differential-privacy guarantee" not in page
        assert "epsilon 8 at delta 1e-05" in page and "the cohort as a whole guarantees nothing" in page

    def test_its_own_numbers_only(self, table, training):
        page = made(table, training, "li_stephens")
        rates = table[(table["generator"] == "li_stephens") & (table["metric"] == "recovery_rate")]
        shown = [
            html.number(*row[["value", "low", "high"]], beside=(row["real_low"], row["real_high"])).text
            for seed in ("1", "2")
            for _, row in rates[rates["seed"] == seed].head(1).iterrows()
        ]
        assert f">{shown[0]}" in page and f">{shown[1]}" not in page and shown[0] != shown[1]

    def test_the_audit_in_words(self, table, training):
        page = made(table, training)
        assert "training samples are nearer to synthetic samples than held-out samples" in page
        assert "were detected by the attack by distance, by distance ratio, by density ratio, by run length" in page
        assert (
            "Without power here, as it did not detect even planted canaries, is the attack by frequency ratio." in page
        )
        assert "The strongest attack on the synthetic samples alone has an AUC of" in page
        assert "0 duplicates of training samples among 500." in page
        assert "No sample was withheld." in page

    def test_a_saturated_loss_is_not_praised(self, table, training):
        page = made(table, training, "independent", {"kind": "made"})
        assert "saturated and says nothing" in page
        assert "not measurably nearer" not in page

    def test_training_samples_must_not_be_released(self, table, training):
        page = made(table, training, "copycat", {"kind": "made"}, source="training samples")
        assert "must never be released" in page
        assert "500 duplicates of training samples among 500." in page
        assert "A leak, as it detected training samples even without canaries, is the attack by distance" in page
        assert "must never be released" not in made(table, training)

    def test_says_what_the_kind_is_and_what_follows_from_its_source(self, table, training):
        assert "<p>Mosaics &lt;of&gt; haplotypes." in made(table, training)
        assert "fitted on 100 % of the training samples" in made(table, training)
        page = made(table, training, source="files")
        assert "The other tool is assumed to have been fitted on the training samples" in page
        assert "fitted on 100 %" not in page
        assert "mosaics of the samples of the reference panel" in made(table, training, source="imputation")

    def test_without_canaries_the_power_is_unknown(self, table, training):
        page = made(table[table["variant"] == ""], training)
        assert "nothing is known of their power" in page

    def test_a_release_shows_the_released_numbers_and_counts_the_withheld(self, table, training):
        withheld = pd.DataFrame(
            {"sample": ["SYN000001", "SYN000002"], "risk": [1, 0.99], "why": ["near copy", "risky"]}
        )
        changed = table.copy()
        released = (
            (changed["variant"] == "released") & (changed["metric"] == "recovery_rate") & (changed["seed"] == "1")
        )
        changed.loc[released, "value"] = 7.654
        page = made(changed, training, withheld=withheld)
        assert "2 samples were withheld: 1 near copy, 1 risky; 35 are released." in page
        assert ">7.65" in page
        assert ">7.65" not in made(changed, training)
        assert "SYN0" not in page

    def test_what_is_worse_than_the_envelope_limits_its_use(self, table, training):
        limits = made(table, training, "independent", {"kind": "made"}).split("Limits of use")[1]
        limits = limits.split("<h2>")[0]
        assert "Fidelity, worse than real samples among themselves" in limits
        assert re.search(r"LD r 0\.\d+ \(real samples 0\.9", limits)

    def test_the_same_twice(self, table, training):
        assert made(table, training) == made(table, training)


class TestPublic:
    @given(
        st.recursive(
            st.one_of(st.none(), st.integers(), st.text("ab/\\.", max_size=5)),
            lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("xyz"), inner)),
            max_leaves=8,
        )
    )
    def test_no_text_with_a_slash_is_left(self, settings):
        assert not re.search(r"[/\\]", repr(model_card.public(settings)).replace("\\\\", "/"))

    def test_plain_settings_stay(self):
        assert model_card.public({"order": 10, "pooled": True, "cohort": "mine"}) == {"order": 10, "pooled": True}
