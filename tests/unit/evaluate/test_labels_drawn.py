"""A synthetic cohort of some labels is judged by the real samples of these labels alone."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stores import store_of

from syngeno.data import cohort, samples
from syngeno.evaluate import membership, utility
from syngeno.evaluate.attacks import samples as whole_samples

SCRIPTS = Path(__file__).parents[3] / "workflow/scripts"
LABELS, VARIANTS = [f"L{number}" for number in range(8)], 1500
DRAWN = {"L0": 1, "L1": 1}
PARTS = np.tile(np.repeat(samples.SPLITS, [15, 8, 12]), len(LABELS))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A store and its table of samples: eight labels that differ in their frequencies."""
    folder, rng = tmp_path_factory.mktemp("prepared"), np.random.default_rng(1)
    per_label = len(PARTS) // len(LABELS)
    frequency = rng.beta(2, 2, (len(LABELS), VARIANTS)).repeat(per_label, axis=0)
    calls = (rng.random((VARIANTS, len(PARTS), 2)) < frequency.T[:, :, None]).astype(np.int8)
    store = store_of(folder / "x.zarr.zip", calls)
    labels = pd.DataFrame({"label": np.repeat(LABELS, per_label)}, pd.Index(store.samples, name="sample"))
    samples.write_samples(folder / "samples.tsv", labels, pd.Series(PARTS, labels.index))
    with store:
        yield store, folder / "samples.tsv"


def real(prepared, weights):
    store, path = prepared
    table = samples.read_judged(path, weights)
    return {part: cohort.real_cohort(store, table[table["split"] == part]) for part in samples.SPLITS}


def drawn(prepared):
    """As an independent generator draws: from the frequencies of each label's training samples."""
    train, rng = real(prepared, DRAWN)["train"], np.random.default_rng(2)
    label = np.repeat(sorted(DRAWN), 60)
    frequency = np.stack([train.frequency_of(name) for name in label])
    return replace(train.take(np.zeros(120, int)), dosages=rng.binomial(2, frequency).astype(np.int8), label=label)


def area(prepared, weights):
    judged, synthetic = real(prepared, weights), drawn(prepared)
    cohorts = judged["train"], judged["test"]
    scores = (whole_samples.frequency_ratio(one, synthetic, judged["validation"]) for one in cohorts)
    return membership.auc(*scores)[0]


def test_a_leak_of_the_labels_drawn_is_not_diluted(prepared):
    assert area(prepared, DRAWN) > 0.95
    assert area(prepared, None) < 0.8  # what was reported when members of all labels were counted


def test_utility_is_that_of_the_labels_drawn(prepared):
    judged = real(prepared, DRAWN)
    rows = utility.measure(
        drawn(prepared), judged["train"], judged["test"], seed=1, components=5, classifiers=["logistic_regression"]
    )
    (recovery,) = [row for row in rows if (row["metric"], row["group"]) == ("recovery_rate", "all")]
    assert recovery["value"] > 0.9
    assert recovery["n"] == 24
    assert {row["group"] for row in rows if row["metric"] == "recall"} == set(DRAWN)


def test_one_label_has_no_utility(prepared):
    judged = real(prepared, {"L0": 1})
    asked = {"seed": 1, "components": 5, "classifiers": ["logistic_regression"]}
    assert utility.measure(drawn(prepared).of("L0"), judged["train"], judged["test"], **asked) == []


# The protocol of published figures is theirs, the encoder and the panel serve all labels.
OF_ALL = {"measure_published", "measure_ceiling", "measure_encoder"}


@pytest.mark.parametrize("script", sorted((SCRIPTS / "evaluate").glob("*.py")), ids=lambda path: path.stem)
def test_every_suite_reads_the_samples_that_judge(script):
    text = script.read_text()
    reads_all = re.search(r"(table|training|parts\[.*\]) .*= .*read_samples\(", text)
    assert not reads_all or script.stem in OF_ALL
    if "read_judged" in text:
        rules = "".join(path.read_text() for path in (SCRIPTS.parent / "rules").glob("*.smk"))
        (rule,) = [part for part in rules.split("\nrule ") if f"/evaluate/{script.name}" in part]
        assert 'labels=config["sample"]["labels"]' in rule
