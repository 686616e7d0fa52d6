import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import judged

from syngeno.report import model_card

SETTINGS = {
    "kind": "diffusion",
    "training": {"epochs": 60, "learning_rate": 2e-4},
    "genotypes": ["/home/me/secret.vcf.gz"],
    "labels": "people.tsv",
    "note": "C:\\data\\me",
    "deep": [{"file": "../up"}],
}


@pytest.fixture(scope="module")
def table():
    return judged(labels=("A", "B"))


@pytest.fixture
def members():
    return pd.Series(["A"] * 30 + ["B"] * 12, index=[f"HG{i:05d}" for i in range(42)])


def made(table, members, generator="diffusion", settings=SETTINGS, **more):
    people = pd.Series(["A"] * 25 + ["B"] * 10, index=[f"SYN{i:06d}" for i in range(35)])
    return model_card.card(
        table, cohort="demo", generator=generator, fraction=100, seed=1, settings=settings, members=members,
        people=people, **more,
    )  # fmt: skip


class TestCard:
    def test_counts_people_and_names_nobody(self, table, members):
        page = made(table, members)
        assert '<td class="name">A</td><td>30</td><td>25</td>' in page
        assert '<td class="name">all</td><td>42</td><td>35</td>' in page
        assert not re.search(r"HG\d|SYN\d", page)

    def test_tells_no_path_of_the_machine(self, table, members):
        page = made(table, members)
        for hidden in ("secret", "people.tsv", "/home", "C:\\", "../up"):
            assert hidden not in page
        assert "learning_rate: 0.0002" in page

    def test_says_what_is_proven_and_what_is_not(self, table, members):
        assert "The model gives no differential-privacy guarantee." in made(table, members)
        private = {**SETTINGS, "training": {"epsilon": 8.0, "delta": 1e-5}}
        page = made(table, members, settings=private)
        assert "no differential-privacy guarantee" not in page
        assert "epsilon 8 at delta 1e-05" in page and "the cohort as a whole promises nothing" in page

    def test_its_own_numbers_only(self, table, members):
        page = made(table, members, "copying")
        value = table[
            (table["generator"] == "copying") & (table["metric"] == "recovery_rate") & (table["seed"] == "1")
        ]["value"].iloc[0]
        assert f"{value:.4g}" in page
        other = table[
            (table["generator"] == "copying") & (table["metric"] == "recovery_rate") & (table["seed"] == "2")
        ]["value"].iloc[0]
        assert f"{other:.4g}" not in page

    def test_the_audit_in_words(self, table, members):
        page = made(table, members)
        assert "training people are nearer to synthetic people than people never seen" in page
        assert "The attack by distance saw planted training people" in page
        assert "The attack by frequency ratio is without power here" in page
        assert "0 copies of training people among 500." in page
        assert "Nobody was withheld." in page

    def test_a_saturated_loss_is_not_praised(self, table, members):
        page = made(table, members, "independent", {"kind": "independent"})
        assert "saturated and says nothing" in page
        assert "not measurably nearer" not in page

    def test_a_copycat_must_not_leave(self, table, members):
        page = made(table, members, "copycat", {"kind": "copycat"})
        assert "must never leave the house" in page
        assert "500 copies of training people among 500." in page
        assert "knew members even without plants" in page

    def test_without_plants_the_power_is_unknown(self, table, members):
        page = made(table[table["variant"] == ""], members)
        assert "nothing is known of their power" in page

    def test_a_release_shows_the_released_numbers_and_counts_the_withheld(self, table, members):
        withheld = pd.DataFrame(
            {"sample": ["SYN000001", "SYN000002"], "risk": [1, 0.99], "why": ["near copy", "risky"]}
        )
        changed = table.copy()
        released = (
            (changed["variant"] == "released") & (changed["metric"] == "recovery_rate") & (changed["seed"] == "1")
        )
        changed.loc[released, "value"] = 0.7654
        page = made(changed, members, withheld=withheld)
        assert "2 people were withheld: 1 near copy, 1 risky; 35 are handed on." in page
        assert "0.7654" in page
        assert "0.7654" not in made(changed, members)
        assert "SYN0" not in page

    def test_what_lies_outside_the_envelope_limits_its_use(self, table, members):
        limits = made(table, members, "independent", {"kind": "independent"}).split("Limits of use")[1]
        limits = limits.split("<h2>")[0]
        assert "Fidelity, outside of what real people show" in limits
        assert re.search(r"LD r 0\.\d+ \(real people 0\.9", limits)

    def test_the_same_twice(self, table, members):
        assert made(table, members) == made(table, members)


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
