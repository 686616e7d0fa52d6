from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from syngeno.data.records import Record, columns
from syngeno.errors import BadInput
from syngeno.prepare import simulate as prepare_simulate

PEOPLE = 400
SAMPLES = [f"P{k}" for k in range(PEOPLE)]


class Source:
    """Variants in memory: each (contig, position, frequency)."""

    path = Path("memory.vcf.gz")
    samples = SAMPLES

    def __init__(self, sites, missing=()):
        random = np.random.default_rng(3)
        self.rows, self.contig_lengths = [], {}
        for contig, position, frequency in sites:
            calls = (random.random((PEOPLE, 2)) < frequency).astype(np.int8)
            if position in missing:
                calls[0] = -1
            self.rows.append(Record(contig, position, ".", "A", "G", calls))
        self.contigs = sorted({row.contig for row in self.rows})

    def records(self, contig, samples, *, pass_only=False):
        order = columns(self.path, self.samples, samples)
        return (row._replace(calls=row.calls[order]) for row in self.rows if row.contig == contig)

    def dosages(self, causal):
        at = {(row.contig, row.position): row.calls.sum(axis=1) for row in self.rows}
        return np.array([at[site] for site in zip(causal["contig"], causal["position"], strict=True)])


SITES = [(contig, 10 * k, 0.3) for contig in "12" for k in range(1, 31)]


def simulate(source, samples=SAMPLES, **settings):
    settings = {"heritability": 0.6, "prevalence": 0.25, "causal": 10, "seed": 1} | settings
    return prepare_simulate.simulate_trait([source], ["1", "2"], samples, **settings)


def test_heritability_and_prevalence():
    source = Source(SITES)
    cases, causal = simulate(source)
    assert cases.sum() == PEOPLE / 4
    genetic = causal["effect"].to_numpy() @ source.dosages(causal)
    assert np.var(genetic) == pytest.approx(0.6)
    assert genetic[cases].mean() > genetic[~cases].mean() + 0.5


def test_all_of_the_liability_is_heritable():
    source = Source(SITES)
    cases, causal = simulate(source, heritability=1)
    genetic = causal["effect"].to_numpy() @ source.dosages(causal)
    assert genetic[cases].min() >= genetic[~cases].max()


def test_nothing_is_heritable():
    cases, causal = simulate(Source(SITES), heritability=0)
    assert (causal["effect"] == 0).all() and cases.sum() == PEOPLE / 4


def test_causal_variants_are_common_called_and_in_order():
    rare = [(contig, 10 * k + 5, 0.005) for contig in "12" for k in range(1, 31)]
    source = Source(sorted(SITES + rare), missing=range(20, 40))
    _, causal = simulate(source, causal=40)
    assert (causal["position"] % 10 == 0).all() and not causal["position"].isin([20, 30]).any()
    assert causal[["contig", "position"]].apply(tuple, axis=1).is_monotonic_increasing
    assert len(causal) == 40 and not causal.duplicated(["contig", "position"]).any()


def test_every_common_variant_may_be_causal():
    found = Counter()
    source = Source(SITES[:6])
    for seed in range(300):
        found.update(simulate(source, causal=2, seed=seed)[1]["position"])
    assert len(found) == 6 and min(found.values()) > 60  # 100 each is expected


def test_same_arguments_same_trait_in_any_order_of_people():
    source = Source(SITES)
    first, again = simulate(source), simulate(source)
    assert (first[0] == again[0]).all() and first[1].equals(again[1])
    assert not (first[0] == simulate(source, seed=2)[0]).all()
    turned = simulate(source, samples=SAMPLES[::-1], heritability=1)[0][::-1]
    assert (turned == simulate(source, heritability=1)[0]).all()


def test_too_few_variants():
    with pytest.raises(BadInput, match=r"90 causal variants .* 60 variants are common"):
        simulate(Source(SITES), causal=90)


def test_add():
    table = pd.DataFrame({"sample": ["b", "a", "c"], "sex": ["f", "m", "f"]})
    found = prepare_simulate.add(table, ["a", "b"], np.array([True, False]), "samples.tsv")
    assert found.to_dict("list") == {"sample": ["b", "a"], "sex": ["f", "m"], "trait": ["control", "case"]}
    with pytest.raises(BadInput, match=r"samples\.tsv: has a column `trait`"):
        prepare_simulate.add(found, ["a"], np.array([True]), "samples.tsv")
