import numpy as np
import pandas as pd
from judged import judged

from syngeno.evaluate import metrics
from syngeno.report import scorecard


def numbers(value, low=0.4, high=0.6, metric="aa_truth", against="train", generator="g", variant=""):
    rows = metrics.table(
        [metrics.row(metric, value, against=against, low=value - 0.1, high=value + 0.1, n=10)],
        generator=generator, variant=variant, fraction=100, seed=1,
    )  # fmt: skip
    return rows.assign(real=0.5, real_low=low, real_high=high)


class TestScorecard:
    def test_marks_what_falls_outside_the_envelope(self):
        assert "▼" not in scorecard.scorecard_page(numbers(0.5)).split("<p>")[0]
        assert 'class="outside">0.30 ▼' in scorecard.scorecard_page(numbers(0.3))
        assert 'class="outside">0.70 ▲' in scorecard.scorecard_page(numbers(0.7))

    def test_a_number_without_envelope_is_not_marked(self):
        page = scorecard.scorecard_page(numbers(0.3, low=np.nan, high=np.nan))
        assert "outside" not in page.split("<tbody>")[1].split("<p>")[0]

    def test_shows_the_mean_over_seeds(self):
        three = pd.concat([numbers(value).assign(seed=str(i)) for i, value in enumerate((0.2, 0.3, 0.4))])
        page = scorecard.scorecard_page(metrics.over_seeds(three))
        assert "0.30 ▼" in page
        assert ">0.20 " not in page

    def test_a_saturated_privacy_loss_says_so(self):
        loss = numbers(0.0, metric="privacy_loss", against="")
        for saturated in (0, 1):
            mark = numbers(saturated, metric="aa_saturated", against="")
            page = scorecard.scorecard_page(pd.concat([loss, mark], ignore_index=True))
            assert ("shows nothing: saturated" in page) is bool(saturated)

    def test_membership_without_power_says_so(self):
        area = numbers(0.5, metric="membership_auc", against="")
        distance = area.assign(group="distance")
        for low, powerless in ((0.01, False), (-0.01, True)):
            gain = numbers(0.02, metric="membership_tpr_gain", against="", variant="planted 5 %, whole")
            gain = gain.assign(group="distance", low=low)
            page = scorecard.scorecard_page(pd.concat([area, distance, gain], ignore_index=True))
            assert ("without power here" in page.split("<p>")[0]) is powerless
            found = pd.concat([area.assign(value=0.9), distance, gain], ignore_index=True)
            assert 'class="outside">0.90 ▲' in scorecard.scorecard_page(found)

    def test_canaries_are_not_shown_and_releases_are_rows_of_their_own(self):
        table = pd.concat(
            [numbers(0.5), numbers(0.51, variant="released"), numbers(0.52, variant="planted 5 %, whole"),
             numbers(0.53, variant="released planted 5 %, whole")],
            ignore_index=True,
        )  # fmt: skip
        page = scorecard.scorecard_page(table)
        assert '<td class="name">g, released</td><td>0.51' in page
        assert "0.52" not in page
        assert "0.53" not in page

    def test_every_generator_in_every_chapter_and_coverage_at_the_end(self):
        page = scorecard.scorecard_page(judged(labels=("A", "B"), seeds=(1,)))
        for chapter in scorecard.HEADLINES:
            part = page.split(f"<h2>{chapter}</h2>")[1].split("</table>")[0]
            assert part.count('<td class="name">') >= 1 + 7
        assert "fidelity 95 %, privacy 95 %" in page
        assert '<td class="name">real</td>' not in page

    def test_a_name_cannot_break_the_page(self):
        assert "<script>" not in scorecard.scorecard_page(numbers(0.5, generator="<script>"))

    def test_red_is_what_is_worse_not_what_is_better(self):
        for metric, against, value, worse in (
            ("recovery_rate", "test", 0.3, True),
            ("recovery_rate", "test", 0.7, False),
            ("wasserstein_pc1_6", "test", 0.3, False),
            ("wasserstein_pc1_6", "test", 0.7, True),
        ):
            page = scorecard.scorecard_page(numbers(value, metric=metric, against=against))
            assert ('class="outside"' in page) is worse
            assert f"{value:.2f} {'▼' if value < 0.5 else '▲'}" in page


class TestAllMetrics:
    def test_leaves_out_columns_that_say_nothing(self):
        assert "<th>variant</th>" not in scorecard.all_metrics(numbers(0.5))
        assert "<th>variant</th>" in scorecard.all_metrics(numbers(0.5, variant="released"))


class TestRun:
    def test_counts_samples_variants_and_relatives(self):
        samples = pd.DataFrame({"label": ["A", "A", "B"], "split": ["train", "test", "train"]})
        variants = pd.DataFrame({"contig": ["1", "2"], "read": [5, 7], "kept": [3, 4]})
        relatives = pd.DataFrame({"split_a": ["train", "train"], "split_b": ["train", "test"]})
        page = scorecard.run_page({"seeds": [1]}, {"g": "Mosaics."}, samples, variants, relatives, "kinship")
        assert "2 pairs of relatives (looked for by: kinship), 1 of them in different" in page
        assert "<td>12</td>" in page
        assert "seeds" in page
        assert '<td class="name">g</td><td class="words">Mosaics.</td>' in page
