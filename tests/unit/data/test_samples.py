import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syngeno.data import samples
from syngeno.errors import BadInput

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}

GOLDEN = "errrerarrr"  # second letters of train, validation, test; ours, to notice a change of everybody's split


def table(path, text):
    path.write_text(text)
    return path


def cohort(sizes, **columns):
    """Labelled samples `A0`, `A1`, ... of each class."""
    ids = [f"{name}{number}" for name, size in sizes.items() for number in range(size)]
    label = [name for name, size in sizes.items() for _ in range(size)]
    return pd.DataFrame({"label": label, **columns}, index=pd.Index(ids, name="sample"))


def counts(labels, parts):
    return pd.crosstab(labels["label"], parts).reindex(columns=samples.SPLITS, fill_value=0).to_numpy()


class TestReadLabels:
    TEXT = "sample\tpopulation\tsex\tcase\nx\tYRI\tmale\t1\ny\tCEU\tfemale\t0\n"

    def test_one_column(self, tmp_path):
        labels = samples.read_labels(table(tmp_path / "p.tsv", self.TEXT), "population")
        assert labels.index.tolist() == ["x", "y"]
        assert labels["label"].tolist() == ["YRI", "CEU"]
        assert labels["case"].tolist() == ["1", "0"]

    def test_a_label_that_the_metrics_table_needs_for_itself(self, tmp_path):
        text = self.TEXT.replace("YRI", "all")
        with pytest.raises(BadInput, match="has the label `all`, which has another meaning"):
            samples.read_labels(table(tmp_path / "p.tsv", text), "population")

    @pytest.mark.parametrize("name", ["A / B", "A: B"])
    def test_a_label_that_reads_like_a_row_of_two(self, tmp_path, name):
        path = tmp_path / "samples.tsv"
        path.write_text(f"sample\tpopulation\na\t{name}\nb\tC\n")
        with pytest.raises(
            BadInput, match=f"has the label `{name}`, but .*; write another sign in its place, such as `A-B`"
        ):
            samples.read_labels(path, "population")

    def test_joint_class(self, tmp_path):
        labels = samples.read_labels(table(tmp_path / "p.tsv", self.TEXT), ["population", "case"])
        assert labels["label"].tolist() == ["YRI|1", "CEU|0"]

    def test_text_stays_text(self, tmp_path):
        labels = samples.read_labels(table(tmp_path / "p.tsv", "sample\tcase\n001\t01\n002\t1e3\n"), "case")
        assert labels.index.tolist() == ["001", "002"]
        assert labels["label"].tolist() == ["01", "1e3"]

    def test_a_column_called_label(self, tmp_path):
        labels = samples.read_labels(table(tmp_path / "p.tsv", "sample\tlabel\nx\tA\n"), "label")
        assert labels["label"].tolist() == ["A"]

    @pytest.mark.parametrize("text", ["\ufeff" + TEXT, TEXT.replace("\n", "\r\n"), TEXT.replace("\tYRI", "\t YRI ")])
    def test_spreadsheet_leavings(self, tmp_path, text):
        (tmp_path / "p.tsv").write_bytes(text.encode())
        assert samples.read_labels(tmp_path / "p.tsv", "population")["label"].tolist() == ["YRI", "CEU"]

    def test_csv_and_gzip(self, tmp_path):
        (tmp_path / "p.csv.gz").write_bytes(gzip.compress(self.TEXT.replace("\t", ",").encode()))
        assert samples.read_labels(tmp_path / "p.csv.gz", "sex")["label"].tolist() == ["male", "female"]

    @pytest.mark.parametrize(
        ("text", "label", "family", "fact"),
        [
            (TEXT, "pop", None, "no column `pop` .it has sample, population, sex, case"),
            (TEXT, "sex", "family", "no column `family`"),
            (TEXT.replace("sample", "iid"), "sex", None, "no column `sample` .it has iid, population"),
            (TEXT.replace("y\t", "x\t"), "sex", None, r"1 samples come more than once \(x\)"),
            (
                TEXT.replace("YRI", ""),
                "population",
                None,
                r"1 samples have no value in column `population` \(x\)",
            ),
            (TEXT.replace("CEU", "NA"), ["sex", "population"], None, r"1 samples .* `population` \(y\)"),
            (TEXT.replace("\nx", "\n"), "sex", None, r"1 rows have no value in column `sample` \(2\)"),
            (TEXT.replace("YRI", "a|b"), ["population", "sex"], None, "`population` cannot be joined"),
            (TEXT.replace("case", "label"), ["sex", "label"], None, "`label` cannot be joined"),
            (TEXT.replace("female\t0", "female\t0\t7"), "sex", None, "cannot be read as a table"),
            (
                TEXT.replace("\t1", "\t1\t7").replace("\t0", "\t0\t7"),
                "sex",
                None,
                "cannot be read as a table",
            ),
            (TEXT.replace("female\t0", "female"), "case", None, r"1 samples .* `case` \(y\)"),
            ("", "sex", None, "cannot be read as a table"),
            ("sample\tsex\n", "sex", None, "holds no samples"),
        ],
    )
    def test_bad(self, tmp_path, text, label, family, fact):
        with pytest.raises(BadInput, match=f"p.tsv: .*{fact}") as error:
            samples.read_labels(table(tmp_path / "p.tsv", text), label, family)
        assert "\n" not in str(error.value)

    def test_missing_file(self, tmp_path):
        with pytest.raises(BadInput, match="no such file"):
            samples.read_labels(tmp_path / "p.tsv", "sex")

    @pytest.mark.parametrize(("name", "data"), [("p.tsv", b"\x1f\x8b\xff\xfe"), ("p.tsv.gz", b"plain")])
    def test_not_text(self, tmp_path, name, data):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BadInput, match=r"cannot be read as a table|holds no samples"):
            samples.read_labels(tmp_path / name, "sex")

    @pytest.mark.parametrize("code", ["N/A", "NULL", "None", "NaN", "<NA>", "-9", "."])
    def test_codes_of_missing_labels(self, tmp_path, code):
        with pytest.raises(BadInput, match=r"1 samples have no value .* \(x\); .*truly called NA.*another name"):
            samples.read_labels(table(tmp_path / "p.tsv", self.TEXT.replace("YRI", code)), "population")

    def test_missing_is_what_pandas_takes_for_it(self, tmp_path):
        words = sorted(samples.MISSING - {".", "-9"})
        read = pd.read_csv(table(tmp_path / "words", "\n".join(["word", *map(repr, words)]).replace("'", '"')))
        assert read["word"].isna().all()

    def test_a_family_of_most_samples(self, tmp_path):
        text = "sample\tx\tfamily\n" + "".join(f"s{i}\tA\t{'unknown' if i < 6 else f'f{i}'}\n" for i in range(10))
        told = r"family `unknown` of column `family` holds 6 of 10 samples; if it stands for no family, leave it empty"
        with pytest.raises(BadInput, match=told):
            samples.read_labels(table(tmp_path / "p.tsv", text), "x", "family")
        for word in ("None", "0", "NA"):
            samples.read_labels(table(tmp_path / "p.tsv", text.replace("unknown", word)), "x", "family")


class TestReadTable:
    def test_quotes_between_tabs_are_characters(self, tmp_path):
        text = 'sample\t"note"\na\t"tall, 6 ft\nb\tnone\nc\tself-reported 5\'11"\nd\t"in quotes"\n'
        read = samples.read_table(table(tmp_path / "p.tsv", text))
        assert read["sample"].tolist() == ["a", "b", "c", "d"]
        assert read["note"].tolist() == ['"tall, 6 ft', "none", "self-reported 5'11\"", "in quotes"]

    def test_quotes_between_commas(self, tmp_path):
        read = samples.read_table(table(tmp_path / "p.csv", 'sample,note\na,"one, two"\n'))
        assert read["note"].tolist() == ["one, two"]
        with pytest.raises(BadInput, match=r"quoted field that goes on over the end of a line \(row 2\)"):
            samples.read_table(table(tmp_path / "p.csv", 'sample,note\na,"six\nb,none\nc,seven"\nd,e\n'))

    @pytest.mark.parametrize(
        ("name", "sign", "told"),
        [("p.tsv", ";", "semicolons"), ("p.csv", ";", "semicolons"), ("p.tsv", ",", "commas"), ("p.csv", "\t", "tabs"),
         ("p.tsv", " ", "blanks")],
    )  # fmt: skip
    def test_other_separators(self, tmp_path, name, sign, told):
        text = sign.join(["sample", "population"]) + "\n" + sign.join(["a", "1,5"]) + "\n"
        with pytest.raises(BadInput, match=rf"is separated by {told} .*; save it with tabs, or with commas"):
            samples.read_table(table(tmp_path / name, text))

    def test_fam(self, tmp_path):
        read = samples.read_table(table(tmp_path / "x.fam", "F1 a 0 0 1 2\n0  b 0 a\t2 0\n"))
        assert read["sample"].tolist() == ["a", "b"]
        assert read["family"].tolist() == ["F1", "0"]
        assert read["sex"].tolist() == ["1", "2"]
        assert read["phenotype"].tolist() == ["2", ""]

    def test_letters_of_older_spreadsheets(self, tmp_path):
        (tmp_path / "p.csv").write_bytes("sample,town\na,Zürich\n".encode("latin-1"))
        assert samples.read_table(tmp_path / "p.csv")["town"].tolist() == ["Zürich"]


class TestMatch:
    def test_genotype_order(self):
        assert samples.match(["A1", "A0"], cohort({"A": 2}), "g", "l") == ["A1", "A0"]

    def test_unlabelled(self):
        with pytest.raises(
            BadInput, match=r"l: 4 samples of g are not here \(x0, x1, x2, \.\.\.\); .*samples: intersect"
        ):
            samples.match(["A0", "x0", "x1", "x2", "x3"], cohort({"A": 1}), "g", "l")

    def test_untyped(self):
        with pytest.raises(BadInput, match=r"1 samples here have no genotypes \(A1\).*with the 1 in both"):
            samples.match(["A0"], cohort({"A": 2}), "g", "l")

    def test_intersect(self):
        assert samples.match(["x", "A1"], cohort({"A": 2}), "g", "l", intersect=True) == ["A1"]

    @pytest.mark.parametrize("intersect", [False, True])
    def test_nothing_shared(self, intersect):
        with pytest.raises(BadInput, match=r"l: shares no sample id with g \(A0, A1 against x\)"):
            samples.match(["x"], cohort({"A": 2}), "g", "l", intersect=intersect)


class TestSplit:
    def test_shares(self):
        labels = cohort({"A": 100, "B": 10, "C": 5})
        assert counts(labels, samples.split(labels, SHARES, 1)).tolist() == [
            [70, 10, 20],
            [7, 1, 2],
            [2, 1, 2],
        ]

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(st.integers(5, 60), min_size=1, max_size=5),
        st.integers(0, 99),
        st.sampled_from([(0.7, 0.1, 0.2), (0.5, 0.25, 0.25), (0.6, 0.05, 0.35)]),
    )
    def test_within_one_person_of_the_target(self, sizes, seed, shares):
        labels = cohort({f"c{number}_": size for number, size in enumerate(sizes)})
        found = counts(labels, samples.split(labels, dict(zip(samples.SPLITS, shares, strict=True)), seed))
        targets = np.outer(sizes, shares)
        targets[:, 1:] = np.maximum(targets[:, 1:], [1, 2])
        assert (abs(found - targets)[:, 1:] <= 0.5 + 1e-9).all()
        assert (found.sum(axis=1) == sizes).all()

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 99), st.lists(st.integers(1, 5), min_size=60, max_size=80))
    def test_families_stay_together(self, seed, sizes):
        family = [f"f{number}" for number, size in enumerate(sizes) for _ in range(size)]
        labels = cohort({"A": len(family)}, family=family)
        parts = samples.split(labels, SHARES, seed, "family")
        assert (parts.groupby(labels["family"]).nunique() == 1).all()
        target = len(family) * np.array([0.7, 0.1, 0.2])
        assert (abs(counts(labels, parts) - target) <= max(sizes)).all()

    def test_families_that_mix_classes(self):
        family = [f"f{number}" for number in range(60)]
        labels = cohort({"case": 60, "control": 60}, family=family * 2)
        parts = samples.split(labels, SHARES, 3, "family")
        assert (parts.groupby(labels["family"]).nunique() == 1).all()
        assert counts(labels, parts).tolist() == [[42, 6, 12], [42, 6, 12]]

    @pytest.mark.parametrize("none", ["", "0", "NA"])
    def test_no_family_is_no_family(self, none):
        labels = cohort({"A": 50}, family=[none] * 50)
        assert samples.split(labels, SHARES, 1, "family").equals(samples.split(labels, SHARES, 1))

    def test_order_and_other_columns_do_not_matter(self):
        labels = cohort({"A": 40, "B": 30})
        shuffled = labels.sample(frac=1, random_state=1).assign(more="x")
        parts = samples.split(labels, SHARES, 1)
        assert samples.split(shuffled, SHARES, 1).loc[labels.index].equals(parts)
        assert samples.split(shuffled, SHARES, 1).index.equals(shuffled.index)

    def test_further_people_move_few(self):
        parts = samples.split(cohort({"A": 200, "B": 50}), SHARES, 1)
        more = samples.split(cohort({"A": 210, "B": 50, "C": 20}), SHARES, 1)
        moved = more[parts.index] != parts
        assert moved.sum() <= 10
        assert not moved[parts.index.str.startswith("B")].any()

    def test_seed_matters(self):
        labels = cohort({"A": 50})
        assert not samples.split(labels, SHARES, 1).equals(samples.split(labels, SHARES, 2))

    def test_golden(self):
        parts = samples.split(cohort({"A": 10}), SHARES, 1)
        assert "".join(part[1] for part in parts) == GOLDEN

    def test_class_too_small(self):
        with pytest.raises(BadInput, match=r"split: class `B` has 4 samples, where 5 are needed; merge"):
            samples.split(cohort({"A": 50, "B": 4}), SHARES, 1)

    def test_too_few_families(self):
        labels = cohort({"A": 50, "B": 20}, family=[""] * 50 + ["f", "g"] * 10)
        with pytest.raises(
            BadInput, match=r"class `B` has 20 samples in 2 families, of which 0 would be in validation"
        ):
            samples.split(labels, SHARES, 1, "family")

    def test_measurements(self):
        labels = cohort({f"{number / 10}": 1 for number in range(20)} | {"1e3": 30})
        told = r"labels are measurements \(21 numbers, such as 0\.0, .*\), not classes; cut them into classes"
        with pytest.raises(BadInput, match=told):
            samples.split(labels, SHARES, 1)

    def test_classes_that_are_called_by_numbers(self):
        samples.split(cohort({str(number): 5 for number in range(20)}), SHARES, 1)

    def test_shares_that_do_not_add_up(self):
        with pytest.raises(BadInput, match=r"split: .* no shares"):
            samples.split(cohort({"A": 50}), {**SHARES, "test": 0.5}, 1)

    def test_further_keys_are_ignored(self):
        labels = cohort({"A": 50})
        assert samples.split(labels, {**SHARES, "seed": 7}, 1).equals(samples.split(labels, SHARES, 1))


class TestSplitByColumn:
    def labels(self, family=None):
        sides = (["train"] * 40 + ["TEST "] * 10) * 2
        return cohort({"A": 50, "B": 50}, half=sides, family=family or [""] * 100)

    def test_test_is_as_given(self):
        labels = self.labels()
        parts = samples.split_by_column(labels, "half", 0.1, 1)
        assert ((parts == "test") == (labels["half"] == "TEST ")).all()
        assert counts(labels, parts).tolist() == [[36, 4, 10], [36, 4, 10]]

    def test_families_stay_together(self):
        labels = self.labels([f"f{number // 5}" for number in range(100)])
        parts = samples.split_by_column(labels, "half", 0.2, 1, "family")
        assert (parts.groupby(labels["family"]).nunique() == 1).all()

    def test_torn_family(self):
        labels = self.labels(["f0"] + [""] * 48 + ["f0"] + [""] * 50)
        with pytest.raises(BadInput, match=r"1 families on both sides \(f0\)"):
            samples.split_by_column(labels, "half", 0.1, 1, "family")

    def test_other_values(self):
        labels = self.labels().replace({"half": {"TEST ": "held out"}})
        with pytest.raises(BadInput, match="`half` holds held out beside train and test"):
            samples.split_by_column(labels, "half", 0.1, 1)

    def test_no_such_column(self):
        with pytest.raises(BadInput, match=r"no column `third`; they have label, half, family"):
            samples.split_by_column(self.labels(), "third", 0.1, 1)

    def test_class_without_test(self):
        labels = pd.concat([self.labels(), cohort({"C": 9}, half="train", family="")])
        with pytest.raises(BadInput, match=r"class `C` has 9 samples, of which 0 would be in test, where 2 are needed"):
            samples.split_by_column(labels, "half", 0.1, 1)


class TestTrainingSamples:
    def people(self):
        labels = cohort({"A": 100, "B": 20, "C": 6})
        return labels.assign(split=samples.split(labels, SHARES, 1)).sample(frac=1, random_state=0)

    def test_everybody(self):
        table = self.people()
        assert samples.training_samples(table, 100, 1) == table.index[table["split"] == "train"].tolist()

    def test_stratified_and_at_least_two(self):
        table = self.people()
        drawn = samples.training_samples(table, 10, 1)
        assert table.loc[drawn, "label"].value_counts().to_dict() == {"A": 7, "B": 2, "C": 2}
        assert (table.loc[drawn, "split"] == "train").all()
        assert drawn == [sample for sample in table.index if sample in set(drawn)]

    @given(st.integers(1, 100), st.integers(1, 100), st.integers(0, 5))
    @settings(max_examples=30, deadline=None)
    def test_nested(self, one, other, seed):
        small, large = sorted((one, other))
        few, many = (samples.training_samples(self.people(), share, seed) for share in (small, large))
        assert set(few) <= set(many)

    def test_seed_matters(self):
        assert samples.training_samples(self.people(), 20, 1) != samples.training_samples(self.people(), 20, 2)


class TestSplitTable:
    def test_round_trip(self, tmp_path):
        labels = cohort({"A": 10}, population="NA?", family="0", other="x")
        parts = samples.split(labels, SHARES, 1)
        samples.write_samples(tmp_path / "samples.tsv", labels, parts, ["population", "family", "population", "label"])
        table = samples.read_samples(tmp_path / "samples.tsv")
        assert table.columns.tolist() == ["split", "label", "population", "family"]
        assert table.index.equals(labels.index)
        assert (table["split"] == parts).all()
        assert (table["population"] == "NA?").all()


class TestReadJudged:
    @pytest.fixture
    def path(self, tmp_path):
        labels = cohort({"A": 10, "1": 10, "B": 10})
        samples.write_samples(tmp_path / "samples.tsv", labels, samples.split(labels, SHARES, 1))
        return tmp_path / "samples.tsv"

    def test_of_the_labels_that_are_drawn(self, path):
        found = samples.read_judged(path, {"A": 2, 1: 0.5, "B": 0})
        assert found.equals(samples.read_samples(path).query("label != 'B'"))

    def test_of_all_where_all_are_drawn(self, path):
        assert samples.read_judged(path, None).equals(samples.read_samples(path))


class TestLabelsToDraw:
    def drawn(self, size):
        table = pd.DataFrame({"split": ["train"] * 8 + ["test"] * 3, "label": list("aabbaabb") + list("aab")})
        return samples.labels_to_draw(table, table[:4], size, None).tolist()

    @pytest.mark.parametrize(("size", "count"), [(None, 2), ("train", 4), (3 * 2, 3)])
    def test_sizes(self, size, count):
        assert sorted(self.drawn(size)) == ["a"] * count + ["b"] * count


class TestReadRelatives:
    def test_pairs_with_the_parts_of_the_split(self, tmp_path):
        table = pd.DataFrame({"split": ["train", "test"]}, index=["01", "NA"])
        (tmp_path / "relatives.tsv").write_text("sample_a\tsample_b\tkinship\tdegree\n01\tNA\t0.25\tfirst\n")
        pairs = samples.read_relatives(tmp_path / "relatives.tsv", table)
        assert pairs.to_dict("records") == [
            {"sample_a": "01", "sample_b": "NA", "kinship": "0.25", "degree": "first"}
            | {"split_a": "train", "split_b": "test"}
        ]

    def test_no_pairs(self, tmp_path):
        (tmp_path / "relatives.tsv").write_text("sample_a\tsample_b\tkinship\tdegree\n")
        pairs = samples.read_relatives(tmp_path / "relatives.tsv", pd.DataFrame({"split": ["train"]}, index=["a"]))
        assert len(pairs) == 0 and {"split_a", "split_b"} < set(pairs.columns)
