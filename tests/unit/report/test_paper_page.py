import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from syngeno.evaluate import metrics
from syngeno.paper import printed
from syngeno.paper.printed import Denoiser
from syngeno.report import paper_page

PUBLISHED = printed.read(Path(__file__).parents[3] / "resources/kenneweg2025.tsv")
KINDS = {name: Denoiser(kind) for name, kind in zip("abcd", ("mlp", "cnn", "mlp+cnn", "transformer"), strict=True)}
MLP = "latents: mlp"


def number(metric, value, generator, fraction=100, real_fraction=0, *, group=MLP, around=0.05, seed=1, against="test"):
    row = metrics.row(metric, value, n=100, group=group, against=against, low=value - around, high=value + around)
    return metrics.table(
        [row], generator=generator, fraction=fraction, real_fraction=real_fraction, seed=seed, protocol="paper"
    )


def rates(**values):
    return pd.concat([number("recovery_rate", value, name) for name, value in values.items()], ignore_index=True)


def gains(share=5, honest=0.04, paper=0.16, **more):
    """Gains of generator "c"; None leaves one out."""
    both = ((honest, share), (paper, 100))
    parts = [number("gain", one, "c", saw, share, **more) for one, saw in both if one is not None]
    if honest is not None and paper is not None and paper > 0.05:  # surely above 0
        parts.append(number("gain_left", honest / paper, "c", share, share, around=0.3, **more))
    return pd.concat(parts)


def everything():
    """A run that has every number: accuracies .8 of real samples, .4 of synthetic ones."""
    parts = [number("accuracy", 0.8, "real", 100, 100), number("accuracy", 0.3, "real", 5, 5)]
    parts += [number("accuracy", 0.4, name) for name in KINDS]
    parts += [rates(a=0.6, b=0.1, c=0.9, d=0.2), gains()]
    parts += [number("accuracy", 0.34, "c", 5, 5), number("accuracy", 0.46, "c", 100, 5)]
    for against in ("test", "train"):
        for metric, value in (("aa_truth", 0.7), ("aa_syn", 0.2)):
            one = number(metric, value, "c", real_fraction=None, group="100 samples", against=against)
            parts.append(one.assign(real=0.5, real_low=0.45, real_high=0.55))
    return pd.concat(parts, ignore_index=True)


NOTHING = everything().iloc[:0]


def told(numbers, kinds=KINDS):
    return " ".join(paper_page.findings(numbers, kinds))


def lines(html):
    """The cells of each row of all tables, as text."""
    rows = [re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row) for row in re.findall(r"<tr.*?>(.*?)</tr>", html, re.S)]
    return [[unescape(re.sub("<[^>]+>", " ", cell)).strip() for cell in row] for row in rows]


def line(html, name):
    return next(row[1:] for row in lines(html) if row and row[0] == name)


class TestShown:
    def test_the_mean_over_seeds_where_there_is_one_else_the_only_seed(self):
        two = metrics.over_seeds(pd.concat([number("accuracy", 0.2, "a"), number("accuracy", 0.4, "a", seed=2)]))
        found = paper_page.shown(pd.concat([number("accuracy", 0.9, "b", seed=3), two], ignore_index=True))
        assert list(zip(found["generator"], found["seed"], found["value"], strict=True)) == [
            ("b", "3", 0.9),
            ("a", "all", pytest.approx(0.3)),
        ]

    def test_numbers_without_a_share_of_real_samples_are_kept_apart_by_what_they_are_against(self):
        found = [number("aa_syn", 0.5, "a", real_fraction=None, against=one) for one in ("train", "test")]
        assert len(paper_page.shown(pd.concat(found, ignore_index=True))) == 2


class TestFindings:
    def test_the_order_and_that_it_is_the_papers(self):
        found = told(rates(a=0.6, b=0.1, c=0.9, d=0.2))
        assert "best first: c 90 %, a 60 %, d 20 %, b 10 %." in found
        assert "This is the paper's order" in found

    @pytest.mark.parametrize(
        ("values", "first", "second"),
        [
            ({"a": 0.9, "b": 0.1, "c": 0.6, "d": 0.2}, "MLP is best, not MLP+CNN", "below the other two, as there"),
            ({"a": 0.6, "b": 0.7, "c": 0.9, "d": 0.2}, "MLP+CNN is best, as in", "CNN is not below both MLP and"),
            ({"a": 0.1, "b": 0.3, "c": 0.9, "d": 0.2}, "MLP+CNN is best, as in", "CNN and Transformer are not below"),
            ({"a": 0.6, "b": 0.1, "c": 0.9, "d": 0.6}, "MLP+CNN is best, as in", "Transformer is not below both"),
        ],
    )
    def test_another_order_says_in_what(self, values, first, second):
        found = told(rates(**values))
        assert "is not what came out" in found and first in found and second in found

    def test_a_tie_is_not_the_papers_order(self):
        found = told(rates(a=0.9, b=0.1, c=0.9, d=0.2))
        assert "is not what came out: MLP and MLP+CNN are equally good" in found

    def test_of_several_generators_of_a_kind_the_best_stands_for_it(self):
        values = rates(a=0.6, b=0.1, c=0.9, d=0.2, e=0.7)
        assert "CNN is not below both" in told(values, KINDS | {"e": Denoiser("cnn")})

    def test_a_changed_denoiser_stands_for_none_of_the_papers_and_beside_its_own(self):
        more = {name: Denoiser("cnn", "blockwise: true", sizes) for name, sizes in (("e", "some"), ("g", ""))}
        kinds = KINDS | more | {"f": Denoiser("mlp+cnn", "chained: true"), "h": Denoiser("cnn")}
        lead = number("lead", -0.02, "f", against="c")
        found = told(pd.concat([rates(a=0.6, b=0.1, c=0.9, d=0.2, e=0.95, f=0.92, g=0.5, h=0.05), lead]), kinds)
        assert "This is the paper's order" in found
        assert "CNN with blockwise: true (e): 95 %, as in the paper (b): 10 %." in found
        assert "CNN with blockwise: true (g): 50 %, as in the paper (b): 10 %." in found
        assert "(f): 92 %, as in the paper (c): 90 %, -2 (-7 to +3) points of accuracy." in found

    def test_a_changed_denoiser_without_the_papers_is_compared_with_nothing(self):
        assert "with blockwise" not in told(rates(a=0.6, e=0.9), {**KINDS, "e": Denoiser("cnn", "blockwise: true")})

    def test_the_first_is_compared_with_the_others_sample_by_sample(self):
        leads = [number("lead", 0.02, "c", against="a"), number("lead", 0.6, "c", against="b")]
        others = [number("lead", -0.02, "a", against="c"), number("lead", 0.3, "c", against="a", group="latents: cnn")]
        found = told(pd.concat([rates(a=0.6, b=0.1, c=0.9, d=0.2), *leads, *others]))
        assert (
            "Lead of c in points of accuracy on the same test samples: +2 (-3 to +7) over a, +60 (+55 to +65) over b."
            in found
        )
        assert "That it is ahead of a may be chance." in found

    def test_a_denoiser_that_was_not_judged_leaves_the_order_open(self):
        found = told(rates(a=0.6, c=0.9))
        assert "cannot be checked: CNN and Transformer were not judged" in found

    def test_sizes_that_are_not_the_papers_are_told(self):
        kinds = KINDS | {name: Denoiser(KINDS[name].kind, sizes="epochs 20 (100)") for name in "ab"}
        assert "a and b: epochs 20 (100)." in told(rates(a=0.6, b=0.1), kinds)
        assert "sampler are the paper's." in told(rates(a=0.6, b=0.1))

    def test_one_generator_makes_no_order(self):
        found = told(rates(c=0.9))
        assert "c 90 %" in found and "best first" not in found

    def test_no_numbers(self):
        assert "No recovery rate" in told(NOTHING)

    def test_generators_of_fewer_samples_do_not_count(self):
        assert "No recovery rate" in told(number("recovery_rate", 0.9, "c", fraction=5))

    def test_what_is_left_of_the_gain(self):
        assert "25 % of it at 5 % (-5 to 55 %)" in told(gains())

    def test_a_loss_leaves_nothing(self):
        found = told(gains(honest=-0.04))
        assert "nothing at 5 %" in found and "-25" not in found

    def test_shares_without_a_sure_gain_are_named(self):
        found = told(pd.concat([gains(), gains(50, paper=0.01), gains(20, paper=-0.3)]))
        assert "At 20 and 50 % there is no sure gain in the paper's protocol." in found

    def test_nowhere_a_sure_gain(self):
        found = told(gains(paper=0.01))
        assert "nowhere surely above 0" in found and "left" not in found

    def test_a_missing_protocol_is_not_a_missing_gain(self):
        assert "was not measured by the paper's protocol" in told(gains(paper=None))
        assert "no generator of so few samples was judged" in told(gains(honest=None))

    def test_a_share_without_an_honest_run_is_not_known(self):
        assert "25 % of it at 5 %" in (found := told(pd.concat([gains(), gains(10, honest=None)])))
        assert "not known at 10 %" in found

    def test_generators_of_other_fewer_samples_belong_to_neither_protocol(self):
        assert "was not measured" not in told(number("gain", 0.1, "c", 50, 20))

    def test_other_classifiers_do_not_lead(self):
        assert "at 5 %" not in told(gains(group="latents: cnn"))


class TestPage:
    def page(self, numbers, labels=26, kinds=KINDS):
        return paper_page.page(numbers, PUBLISHED, kinds, labels)

    def test_ours_above_theirs(self):
        html = self.page(everything())
        ours = [re.sub(r"\s+", " ", cell) for cell in line(html, MLP)]
        assert ours[:3] == ["0.80 0.75 to 0.85", "0.40 0.35 to 0.45", "0.60 0.55 to 0.65"]
        assert line(html, "paper: mlp")[:3] == ["0.9023", "0.1406", "0.156"]  # CNN first, as printed: .1406 / .9023
        assert line(html, "paper: MLP+CNN") == ["0.63", "0.94", "0.385", "0.74"]

    def test_cases_and_controls_stand_beside_the_papers_cases_and_controls(self):
        html = self.page(everything(), labels=2)
        assert "The paper (ALS)" in html and line(html, "paper: mlp")[0] == "0.876"

    def test_neighbours_of_real_samples_stand_beside(self):
        html = self.page(everything())
        assert [cell.split()[0] for cell in line(html, "c")] == ["0.70", "0.20", "0.70", "0.20"]
        assert [cell.split()[0] for cell in line(html, "real samples")] == ["0.50"] * 4

    def test_generators_that_are_no_diffusion_models_stand_in_the_tables_alone(self):
        html = self.page(pd.concat([everything(), number("accuracy", 0.77, "copies"), rates(copies=0.99)]))
        assert "copies: recovery rate" in html and "copies 99 %" not in html

    def test_augmentation(self):
        html = self.page(everything())
        cells = [cell.split()[0] for cell in line(html, f"c, {MLP}")]
        assert cells == ["5", "0.30", "0.34", "0.04", "0.46", "0.16", "0.25"]
        assert line(html, "paper: MLP+CNN, best classifier") == ["5 %", "0.2901", "", "", "0.8398", "0.5497", ""]

    @pytest.mark.parametrize(
        ("part", "left"),
        [
            ({"paper": 0.01}, "- no sure gain"),
            ({"paper": -0.5}, "- no sure gain"),
            ({"paper": None}, "- not run"),
            ({"honest": None}, "- no honest run"),
            ({"honest": -0.04}, "-0.25 -0.55 to 0.05"),
        ],
    )
    def test_what_is_left_or_why_not(self, part, left):
        assert re.sub(r"\s+", " ", line(self.page(gains(**part)), f"c, {MLP}")[-1]) == left

    def test_all_samples_are_no_augmentation(self):
        assert f"c, {MLP}" not in self.page(number("gain", 0.1, "c", 100, 100))

    def test_says_why_there_is_nothing(self):
        html = self.page(NOTHING)
        assert html.count("<p>No ") == 4  # the finding and the three tables
        assert "nan" not in html

    def test_a_generator_without_all_samples_has_no_column(self):
        html = self.page(
            pd.concat([everything(), number("accuracy", 0.1, "few", 5)]), kinds=KINDS | {"few": Denoiser("mlp")}
        )
        assert "few: recovery rate" not in html and "c: recovery rate" in html

    @pytest.mark.parametrize("missing", ["aa_truth", "aa_syn", "accuracy", "recovery_rate", "gain"])
    def test_a_missing_metric_leaves_the_rest(self, missing):
        numbers = everything()
        html = self.page(numbers[numbers["metric"] != missing])
        assert html.count("<h2>") == 3 and "nan" not in html

    def test_published_figures_may_be_missing(self):
        html = paper_page.page(everything(), PUBLISHED.iloc[:0], KINDS, 26)
        assert line(html, MLP) and "nan" not in html

    def test_names_are_text(self):
        html = paper_page.page(rates(**{"<b>": 0.5}), PUBLISHED, {"<b>": Denoiser("mlp")}, 26)
        assert "<b>" not in html
