import numpy as np
import pandas as pd

from syngeno.evaluate import risk


def audited():
    return pd.DataFrame(
        {
            "sample": ["S1", "S2", "S3", "S4", "S5"],
            "label": "A",
            "nearest_train": ["R1", "R2", "R3", "R4", "R5"],
            "distance": [50, 0, 9, 40, 30],
            "risk": [0.2, 1.0, 1.0, 0.9, 0.9],
            "kinship_max": [0.0, 0.5, 0.4, 0.1, 0.1],
            "listed": ["", "exact", "near", "", ""],
        }
    )


class TestChoose:
    def test_copies_always_go(self):
        found = risk.choose(audited(), 0)
        assert found["sample"].tolist() == ["S2", "S3"]
        assert found["why"].tolist() == [risk.WHY["exact"], risk.WHY["near"]]

    def test_copies_count_among_the_riskiest(self):
        assert risk.choose(audited(), 40)["sample"].tolist() == ["S2", "S3"]

    def test_the_riskiest_go_ties_by_distance(self):
        found = risk.choose(audited(), 60)
        assert found["sample"].tolist() == ["S2", "S3", "S5"]
        assert found["why"].iloc[2] == risk.RISKY
        assert found["risk"].tolist() == [1, 1, 0.9]

    def test_percent_is_rounded_up(self):
        assert len(risk.choose(audited(), 40.1)) == 3

    def test_nobody_listed_nobody_withheld(self):
        assert risk.choose(audited().assign(listed=""), 0).empty

    def test_order_of_people_decides_nothing(self):
        mixed = audited().sample(frac=1, random_state=3)
        assert set(risk.choose(mixed, 60)["sample"]) == {"S2", "S3", "S5"}

    def test_names_no_real_person(self):
        found = risk.choose(audited(), 99)
        assert list(found.columns) == list(risk.WITHHELD_COLUMNS)
        assert not found.astype(str).apply(lambda column: column.str.contains("R")).any(axis=None)

    def test_composition_is_kept_where_one_label_has_the_highest_risks(self):
        """As in HapMap 3, where `withhold: 5` took 34 of 75 YRI and nobody else."""
        label = np.repeat(["CEU", "MEX", "YRI"], [150, 50, 75])
        rng = np.random.default_rng(1)
        table = pd.DataFrame({
            "sample": [f"S{i}" for i in range(len(label))], "label": label, "distance": 50, "listed": "",
            "risk": rng.uniform(0, 0.9, len(label)) + 0.1 * (label == "YRI"), "kinship_max": 0.0,
        })  # fmt: skip
        found = risk.choose(table, 5)
        assert risk.composition(table, found).to_dict("list") == {
            "label": ["CEU", "MEX", "YRI"],
            "drawn": [150, 50, 75],
            "withheld": [8, 2, 4],  # 5 % of 275, rounded up: 14
            "released": [142, 48, 71],
        }
        for name, part in table.groupby("label"):
            held = part["sample"].isin(found["sample"])
            assert part.loc[held, "risk"].min() > part.loc[~held, "risk"].max(), name

    def test_a_label_of_which_none_is_withheld_is_in_the_composition(self):
        table = risk.composition(audited().assign(label=list("AABBB")), risk.choose(audited().iloc[:0], 0))
        assert table["withheld"].tolist() == [0, 0]
        assert table["released"].tolist() == [2, 3]
