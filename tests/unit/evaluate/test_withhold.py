import pandas as pd

from syngeno.evaluate import audit


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
        found = audit.choose(audited(), 0)
        assert found["sample"].tolist() == ["S2", "S3"]
        assert found["why"].tolist() == [audit.WHY["exact"], audit.WHY["near"]]

    def test_copies_count_among_the_riskiest(self):
        assert audit.choose(audited(), 40)["sample"].tolist() == ["S2", "S3"]

    def test_the_riskiest_go_ties_by_distance(self):
        found = audit.choose(audited(), 60)
        assert found["sample"].tolist() == ["S2", "S3", "S5"]
        assert found["why"].iloc[2] == audit.RISKY
        assert found["risk"].tolist() == [1, 1, 0.9]

    def test_percent_is_rounded_up(self):
        assert len(audit.choose(audited(), 40.1)) == 3

    def test_nobody_listed_nobody_withheld(self):
        assert audit.choose(audited().assign(listed=""), 0).empty

    def test_order_of_people_decides_nothing(self):
        mixed = audited().sample(frac=1, random_state=3)
        assert set(audit.choose(mixed, 60)["sample"]) == {"S2", "S3", "S5"}

    def test_names_no_real_person(self):
        found = audit.choose(audited(), 99)
        assert list(found.columns) == list(audit.WITHHELD_COLUMNS)
        assert not found.astype(str).apply(lambda column: column.str.contains("R")).any(axis=None)
