"""Risk where the answer is known: by hand, and labels as in HapMap 3, of few held-out samples and with relatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syngeno.evaluate.risk import HIGH_RISK, Yardstick

# Held-out samples of HapMap 3's labels.
HELDOUT = {
    "ASW": 10, "CEU": 21, "CHB": 17, "CHD": 17, "GIH": 17, "JPT": 17, "LWK": 17, "MEX": 10, "MKK": 28, "TSI": 17,
    "YRI": 22,
}  # fmt: skip


def yardstick(distances, label="A", related=False):
    distances = np.asarray(distances, float)
    return Yardstick(distances, *(np.broadcast_to(each, len(distances)) for each in (label, related)))


def risks(found, distances, label="A"):
    distances = np.asarray(distances, float)
    return found.risk(distances, np.broadcast_to(label, len(distances)))


class TestByHand:
    def test_risk_of_one_label_is_the_share_that_is_farther(self):
        found = yardstick(range(101, 121))
        assert risks(found, [90, 102, 110.5, 120, 121]).tolist() == pytest.approx([1, 18.5 / 20, 0.5, 0.5 / 20, 0])

    def test_labels_that_lie_elsewhere_are_one_yardstick(self):
        near = np.arange(101, 112)
        found = yardstick(np.concatenate([near, near * 10 + 4.5]), np.repeat(["A", "B"], 11))  # ten times as far
        expected = risks(yardstick(near), near)
        assert risks(found, near, "A") == pytest.approx(expected, abs=0.05)
        assert risks(found, near * 10 + 4.5, "B") == pytest.approx(expected, abs=0.05)

    def test_near(self):
        listed = yardstick(np.full(30, 40.0)).listed(np.array([0, 1, 9.9, 10.1, 40]), np.full(5, "A"))
        assert listed.tolist() == ["exact", "near", "near", "", ""]

    def test_a_label_without_heldout_samples_is_measured_by_all(self):
        found = yardstick([90, 100, 110, 120])
        assert risks(found, [50, 105, 200], "unheard of").tolist() == [1, 0.5, 0]

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ABC"), st.booleans()), min_size=1, max_size=60),
        st.integers(0, 30),
    )
    def test_whatever_is_held_out(self, heldout, one):
        distances, label, related = (np.array(values) for values in zip(*heldout, strict=True))
        found = Yardstick(distances.astype(float), label, related)
        strangers = ~related | related.all()
        assert found.risk(distances, label)[strangers].mean() > 0.5 - 1e-9, "outliers are left out, of risk 1"
        assert 0 <= risks(found, [one]).item() <= 1
        assert (np.diff(risks(found, range(30))) <= 0).all(), "nearer is riskier"


class TestLabels:
    """Distances of strangers, whose middle and spread differ between labels."""

    @pytest.fixture
    def strangers(self):
        rng = np.random.default_rng(7)
        middle = dict(zip(HELDOUT, rng.normal(9.2, 0.06, len(HELDOUT)), strict=True))
        spread = dict(zip(HELDOUT, rng.uniform(0.015, 0.025, len(HELDOUT)), strict=True))
        return lambda name, n: np.exp(middle[name] - spread[name] * rng.gumbel(size=n))

    def heldout(self, strangers):
        distances = np.concatenate([strangers(name, n) for name, n in HELDOUT.items()])
        return distances, np.repeat(list(HELDOUT), list(HELDOUT.values()))

    def test_strangers_are_rarely_at_high_risk_but_in_every_label(self, strangers):
        """Among the samples of all labels, those of eight labels could not be; see the first contact."""
        shares = {name: [] for name in HELDOUT}
        for _ in range(40):
            found = yardstick(*self.heldout(strangers))
            for name in HELDOUT:
                shares[name].append((risks(found, strangers(name, 75), name) > HIGH_RISK).mean())
        mean = {name: np.mean(share) for name, share in shares.items()}
        assert min(mean.values()) > 0.015
        assert max(mean.values()) < 0.17
        assert 0.04 < np.mean(list(mean.values())) < 0.1

    @pytest.mark.parametrize("name", HELDOUT)
    def test_those_that_lie_too_near_are_at_high_risk_in_every_label(self, strangers, name):
        found = yardstick(*self.heldout(strangers))
        assert (risks(found, strangers(name, 75) * 0.85, name) > HIGH_RISK).mean() > 0.8

    @pytest.mark.parametrize(("kin", "known"), [(14, True), (6, False)])
    def test_relatives_do_not_set_the_yardstick(self, strangers, kin, known):
        """14 of 28 held-out MKK have relatives in training: none of the synthetic ones was at risk."""
        distances, label = self.heldout(strangers)
        related = np.zeros(len(label), dtype=bool)
        related[np.flatnonzero(label == "MKK")[:kin]] = True
        distances[related] *= 0.7
        found = Yardstick(distances, label, related & known)
        assert (risks(found, strangers("MKK", 75) * 0.85, "MKK") > HIGH_RISK).mean() > 0.8

    def test_where_all_are_relatives_they_are_the_yardstick(self, caplog):
        found = yardstick(range(101, 121), related=True)
        assert risks(found, [110.5]).item() == 0.5
        assert "all held-out samples have relatives in training" in caplog.text
