import re

import pandas as pd
import pytest
from judged import judged

from syngeno.evaluate import membership, metrics
from syngeno.report import audit_page, scorecard, verdicts


@pytest.fixture(scope="module")
def table():
    return judged(generators=("diffusion", "copycat"), labels=("A", "B"), seeds=(1,))


@pytest.fixture
def audited():
    return pd.DataFrame(
        {
            "sample": ["SYN000001", "SYN000002", "SYN000003"],
            "label": ["A", "A", "B"],
            "nearest_train": ["HG00096", "HG00097", "HG00098"],
            "distance": [14, 0, 3000],
            "risk": [0.99, 1.0, 0.4],
            "kinship_max": [0.45, 0.5, 0.02],
            "listed": ["near", "exact", ""],
        }
    )


def rows(page, heading):
    return page.split(f"<h2>{heading}</h2>")[1].split("</table>")[0].split("<tr")[2:]


class TestAudit:
    def test_opens_with_the_power_of_the_attacks(self, table):
        page = audit_page.audit_page(table, {})
        assert page.index("What each attack can detect") < page.index("Duplicates, near duplicates")
        found = rows(page, "What each attack can detect")
        assert len(found) == 11 + 10
        told = {row.split('class="name">')[1].split("<")[0]: row for row in found}
        assert membership.DETECTS in told["diffusion: distance"]
        assert ">without power here<" in told["diffusion: frequency ratio"]
        assert membership.HINTS in told["diffusion: the model itself"]
        assert membership.DETECTS_WITHOUT in told["copycat: distance"]

    def test_an_attack_that_needs_no_canaries_is_a_leak_not_a_null_result(self, table):
        cell = next(
            row for row in rows(audit_page.audit_page(table, {}), "What each attack can detect") if "copycat" in row
        )
        assert f'<td class="words outside">{membership.DETECTS_WITHOUT}' in cell

    def test_a_leak_is_red_everywhere_and_grey_nowhere(self, table):
        """On the audit page, in the scorecard (where there is no envelope, too), the figure and the lights."""
        without = table.assign(real_low=float("nan"), real_high=float("nan"))
        for numbers in (table, without):
            own = numbers[numbers["generator"] == "copycat"]
            told = "".join(rows(audit_page.audit_page(own, {}), "What each attack can detect"))
            assert told.count(f'<td class="words outside">{membership.DETECTS_WITHOUT}') == 10
            assert "blind" not in told
            line = scorecard.scorecard_page(own).split('<td class="name">copycat</td>')[1].split("</tr>")[0]
            assert line.count('class="outside">') >= 2
            assert "without power" not in line
            light = next(one for one in verdicts.lights(own) if one.title == verdicts.PRIVATE)
            assert light.level is verdicts.BAD

    def test_says_once_per_run_how_many_canaries_were_listed(self, table):
        page = audit_page.audit_page(table, {})
        assert page.count("0.961 to 1.000<") == 2
        assert "Canaries listed by id</th>" in page

    def test_what_shadow_models_find_stands_beside_one_threshold_for_all(self, table):
        assert "By shadow models" not in audit_page.audit_page(table, {})
        subject = {"generator": "diffusion", "fraction": 50, "seed": "all"}
        numbers = [table]
        for variant, value in ((membership.LIRA, 0.8), (membership.PLAIN, 0.6)):
            made = [metrics.row("membership_auc", value, group="painting", low=value - 0.01, high=value + 0.01, n=8)]
            if variant == membership.LIRA:
                made += [metrics.row("membership_auc", 0.8, low=0.7, high=0.9, n=8)]
                made += [metrics.row("individual_risk", 0.93, against=who, n=99) for who in ("99 %", "largest")]
            numbers.append(metrics.table(made, variant=variant, **subject))
        page = audit_page.audit_page(pd.concat(numbers), {})
        strongest, painting = rows(page, "By shadow models")
        assert "diffusion, 50 %: strongest on the synthetic samples" in strongest and strongest.count(">0.93") == 2
        assert "diffusion, 50 %: painting" in painting
        assert painting.index("0.600") < painting.index("0.800")
        # What stands elsewhere on the page is as without it.
        before, after = (html.split("<h2>By shadow")[0] for html in (audit_page.audit_page(table, {}), page))
        assert before.startswith(after)

    def test_names_the_canaries_that_each_attack_gains_most_by(self, table):
        found = rows(audit_page.audit_page(table, {}), "What each attack can detect")
        told = {row.split('class="name">')[1].split("<")[0]: row for row in found}
        assert '<td class="words">whole<' in told["diffusion: distance"]
        assert '<td class="words">pieces of 5 cM<' in told["diffusion: run length"]
        assert "pieces of" not in told["diffusion: the model itself"]

    def test_areas_by_label_are_of_the_strongest_attack(self, table):
        page = audit_page.audit_page(table, {})
        areas = table[
            (table["metric"] == "membership_auc") & (table["variant"] == "") & (table["generator"] == "copycat")
        ]
        alone = areas[(areas["against"] == "") & (areas["group"] != "all")]
        best = areas[areas["group"] == "all"]["value"].iloc[0]
        attack = alone.loc[(alone["value"] - best).abs().idxmin(), "group"]
        head = page.split("<h2>Who is recognised</h2>")[1].split("</thead>")[0]
        assert f"copycat: {membership.ATTACK_NAMES[attack]}" in head
        found = rows(page, "Who is recognised")
        assert [row.split('class="name">')[1].split("<")[0] for row in found] == ["A", "B", "the 5 % most isolated"]
        (in_a,) = areas[(areas["group"] == attack) & (areas["against"] == "A")].to_dict("records")
        assert f">{in_a['value']:.2f}<" in found[0]
        assert "n = 500" in found[0]

    def test_without_areas_by_label_there_is_no_such_table(self, table):
        assert "Who is recognised" not in audit_page.audit_page(table[table["against"] == ""], {})

    def test_heldout_samples_stand_in_brackets(self, table):
        page = audit_page.audit_page(table, {})
        heldout = table[(table["metric"] == "kinship_first") & (table["group"] == "heldout")]["value"].iloc[0]
        assert f"({heldout:.3g})" in "".join(rows(page, "Kinship with training samples"))

    def test_segments_stand_beside_those_of_heldout_samples(self, table):
        page = audit_page.audit_page(table, {})
        head = page.split("<h2>Segments shared with training haplotypes</h2>")[1].split("</thead>")[0]
        assert re.findall(r"<th[^>]*>([^<]+)</th>", head) == [
            "Generator", "Segments longer than 1 cM, per 1,000 pairs", "Segments longer than 3 cM, per 1,000 pairs",
            "Longest in cM, median", "Longest in cM, 99 %", "Longest in cM, largest",
        ]  # fmt: skip
        _, copycat = rows(page, "Segments shared with training haplotypes")
        assert re.findall(r"<td[^>]*>([^<]+)<span class=\"low\">([^<]+)<", copycat)[0] == ("6.50 (5) ▲", "6.40 to 6.60")
        assert 'class="outside"' in copycat

    def test_without_segments_there_is_no_such_table(self, table):
        page = audit_page.audit_page(table[~table["metric"].str.contains("segment")], {})
        assert "Segments shared" not in page

    def test_lists_duplicates_before_near_ones_and_names_no_real_sample(self, table, audited):
        page = audit_page.audit_page(table, {"diffusion": audited})
        assert "1 duplicates and 1 near duplicates among 3 samples" in page
        assert page.index("SYN000002") < page.index("SYN000001")
        assert "SYN000003" not in page
        assert "HG0" not in page

    def test_a_long_list_is_cut(self, table, audited):
        many = pd.concat([audited.iloc[[1]]] * 30, ignore_index=True)
        page = audit_page.audit_page(table, {"copycat": many})
        assert page.count("SYN000002") == audit_page.SHOWN
        assert "30 duplicates and 0 near duplicates among 30 samples" in page

    def test_nothing_measured_is_said(self, table):
        page = audit_page.audit_page(table[table["metric"] == "aats"], {})
        assert "No membership attack was run." in page
        assert page.count("Not measured.") == 2
