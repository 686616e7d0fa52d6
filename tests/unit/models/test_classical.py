"""What every classical generator can do, whatever it draws from."""

import json

import numpy as np
import pytest
from settings import generator_settings
from stores import store_of, training_data

from syngeno import streams
from syngeno.errors import BadInput
from syngeno.models.base import generator_class
from syngeno.models.catalogue import KINDS
from syngeno.models.classical import Classical

FITTED = [name for name, kind in KINDS.items() if kind.model]
CLASSICAL = [name for name in FITTED if issubclass(generator_class(KINDS[name].model), Classical)]
LABEL = np.resize(["a", "b"], 60)
CHOSEN = {"markov": {"weight"}, "li_stephens": {"rho", "mu"}, "ancestry_factors": {"axes"}, "coalescent": {"seed"}}

SMALL = {"coalescent": {"population_size": 20}}


@pytest.fixture(params=[True, False], ids=["phased", "unphased"])
def store(request, tmp_path):
    rng = np.random.default_rng(1)
    source = rng.integers(0, 2, (30, 6, 1)).astype(np.int8)
    calls = source[:, rng.integers(0, 6, (60, 2)), 0] ^ (rng.random((30, 60, 2)) < 0.05)
    return store_of(tmp_path / "s.zarr.zip", calls.astype(np.int8), request.param, ["1"] * 20 + ["2"] * 10)


@pytest.fixture
def data(store):
    return training_data(store, np.arange(40), LABEL[:40], np.arange(40, 50), LABEL[40:50])


def fitted_on(data, kind):
    settings = generator_settings(kind, **SMALL.get(kind, {}))
    return generator_class(KINDS[kind].model).fit(data, settings, seed=1), settings


def calls_of(model, label, **stream):
    return np.concatenate(list(model.sample(label, **stream).calls))


@pytest.mark.parametrize("kind", CLASSICAL)
class TestClassical:
    def test_fits_and_comes_back_as_it_was(self, tmp_path, data, kind):
        model, settings = fitted_on(data, kind)
        assert set(model.chosen) == CHOSEN.get(kind, set()) and model.history == []
        model.save(tmp_path / "model")
        again = type(model).load(tmp_path / "model", data, settings, threads=2)
        assert again.chosen == model.chosen and again.threads == 2
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith("model")] == ["model"]
        label = np.repeat(["b", "a"], 5)
        assert (calls_of(model, label, seed=2, shard=0) == calls_of(again, label, seed=2, shard=0)).all()
        assert hasattr(model, "log_prob") == KINDS[kind].likelihood
        if not KINDS[kind].likelihood:
            return
        logs = [one.log_prob(np.arange(50, 60), LABEL[50:], seed=3) for one in (model, again)]
        assert (logs[0] == logs[1]).all() and (logs[0] < 0).all()
        assert logs[0].shape == (20 if data.store.phased else 10,)

    def test_draws_calls_of_the_wanted_labels(self, data, kind):
        model, _ = fitted_on(data, kind)
        drawn = model.sample(np.repeat("a", 7), seed=1, shard=0)
        assert drawn.phased == data.store.phased and drawn.latents is None
        calls = np.concatenate(list(drawn.calls))
        assert calls.shape == (30, 7, 2) and calls.dtype == np.int8 and set(np.unique(calls)) <= {0, 1}
        with pytest.raises(ValueError, match="no training sample has the label z"):
            model.sample(np.array(["z"]), seed=1, shard=0)

    def test_shards_draw_from_streams_of_their_own(self, data, kind):
        model, _ = fitted_on(data, kind)
        label = np.repeat("a", 20)
        first, again, second = (calls_of(model, label, seed=1, shard=shard) for shard in (0, 0, 1))
        assert (first == again).all() and (first != second).any()
        rng, plain = streams.rng(f"{kind}_sampling", 1, 0), streams.rng(f"{kind}_sampling", 1)
        assert (rng.random(5) == plain.random(5)).all()  # the first shard is the whole where there is but one

    def test_refuses_what_was_fitted_on_other_data(self, tmp_path, data, kind):
        model, settings = fitted_on(data, kind)
        model.save(tmp_path / "model")
        other = training_data(data.store, np.arange(1, 41), LABEL[1:41], data.validation_rows, data.validation_label)
        with pytest.raises(BadInput, match="was fitted on other data; delete it and run the fit stage again"):
            type(model).load(tmp_path / "model", other, settings)

    def test_refuses_foreign_files(self, tmp_path, data, kind):
        cls, settings = generator_class(KINDS[kind].model), generator_settings(kind)
        with pytest.raises(BadInput, match="no such file; run the fit stage first"):
            cls.load(tmp_path / "none", data, settings)
        for content in ("", "text", "[1]", json.dumps({"chosen": {}})):
            (tmp_path / "other").write_text(content)
            with pytest.raises(BadInput, match="holds no fitted model"):
                cls.load(tmp_path / "other", data, settings)

    def test_nothing_of_test_samples_is_seen(self, data, kind, monkeypatch):
        """Neither fitting nor drawing reads what is no training or validation sample."""
        read = [np.empty(0, dtype=int)]
        iterate = type(data.store).iterate
        monkeypatch.setattr(type(data.store), "iterate", lambda store, rows: read.append(rows) or iterate(store, rows))
        model, _ = fitted_on(data, kind)
        calls_of(model, LABEL[:4], seed=1, shard=0)
        assert set(np.concatenate(read).tolist()) <= set(range(50))
