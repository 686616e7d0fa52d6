from settings import run_file

from syngeno.workflow.plan import NOBODY, Plan

GENERATORS = {
    "a": {"kind": "haplotype_diffusion", "fractions": [50, 100]},
    "b": {"kind": "haplotype_diffusion", "model": "a", "fractions": [50]},
    "c": {"kind": "copycat"},
    "m": {"kind": "markov"},
    "theirs": {"kind": "external", "cohort": "made", "genotypes": "x.vcf.gz", "labels": "x.tsv"},
    "i": {"kind": "imputed", "cohort": "dense", "source": {"cohort": "made", "generator": "a"}, "panel": "p.vcf.gz"},
}
COHORTS = {name: {"simulate": {}, "label": "population"} for name in ("made", "dense")}


def plan():
    return Plan(run_file(cohorts=COHORTS, generators=GENERATORS, seeds=[1, 2], fractions=[100]))


def wildcards(*arguments, **more):
    return [tuple(one.values()) for one in plan().runs(*arguments, **more)]


class TestNames:
    def test_by_flags(self):
        assert plan().of(likelihood=True) == "a|b|m"
        assert plan().of(likelihood=True, trains=False) == "m"
        assert plan().of(released=False) == "c"
        assert plan().of(encoded=True) == NOBODY

    def test_who_has_a_model_to_fit(self):
        assert plan().fitted() == ["a", "m"]
        assert plan().fitted(lambda kind: "clusters" in kind.needs) == ["a"]
        assert (plan().model_of("a"), plan().model_of("b")) == ("a", "a")


class TestRuns:
    def test_every_cohort_fraction_and_seed(self):
        assert wildcards(["made", "dense"], lambda kind: not kind.trains and kind.likelihood) == [
            ("made", "m", 100, 1), ("made", "m", 100, 2), ("dense", "m", 100, 1), ("dense", "m", 100, 2)
        ]  # fmt: skip
        assert [one[2] for one in wildcards(["made"], lambda kind: kind.trains)] == [50, 50, 100, 100, 50, 50]

    def test_newest(self):
        assert wildcards(["made"], lambda kind: kind.trains, newest=True) == [
            ("made", "a", 100, 1),
            ("made", "b", 50, 1),
        ]

    def test_what_the_user_brings_stands_for_itself(self):
        assert wildcards(["made", "dense"], lambda kind: kind.source == "files") == [("made", "theirs", 100, 1)]

    def test_imputed_samples_follow_their_source(self):
        found = wildcards(["made", "dense"], lambda kind: kind.source == "imputation")
        assert found == [("dense", "i", fraction, seed) for fraction in (50, 100) for seed in (1, 2)]

    def test_all_fractions(self):
        assert plan().all_fractions() == [50, 100]
