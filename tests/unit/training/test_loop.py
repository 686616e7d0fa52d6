"""The loop, by what a small denoiser learns in it."""

import logging
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from syngeno.errors import BadInput
from syngeno.models.latent import ddpm, denoising
from syngeno.training import loop
from unit.models.latent.test_denoising import changed, run


def assert_same(one, two):
    """Models and histories equal to the last bit, the clock apart."""
    assert one[0]["weights"].keys() == two[0]["weights"].keys()
    for name, weight in one[0]["weights"].items():
        assert torch.equal(weight, two[0]["weights"][name]), name
    assert without_clock(one[1]) == without_clock(two[1])


def without_clock(history):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


class Interrupted(Exception):
    pass


def interrupt(monkeypatch, at):
    """Let the step after number `at` fail."""
    learn = loop.Run.learn

    def failing(self):
        if self.step == at:
            raise Interrupted
        learn(self)

    monkeypatch.setattr(loop.Run, "learn", failing)


# The child trains with a state saved at every step; after the given number of saves it meets the given end.
CHILD = """
    import os, signal, sys
    from pathlib import Path
    sys.path[:0] = [{tests!r}, *{path!r}]
    import unit.models.latent.test_denoising as cases
    from syngeno.training import loop
    saves, save = 0, loop.Run.save
    def counted(self, *arguments):
        global saves
        save(self, *arguments)
        saves += 1
        if saves == {after}:
            os.kill(os.getpid(), signal.{end})
    loop.Run.save = counted
    cases.run(Path({folder!r}), every=0)
"""


def run_and_end(folder, end, after):
    script = CHILD.format(tests=os.path.dirname(__file__), path=sys.path, after=after, end=end, folder=str(folder))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=environment, capture_output=True, text=True
    )


class TestInterruptedEqualsUninterrupted:
    def test_killed_in_the_middle_of_an_epoch(self, tmp_path):
        ended = run_and_end(tmp_path / "killed", "SIGKILL", after=10)  # 7 steps an epoch
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert loop.load(tmp_path / "killed" / "state.pt")["step"] == 10
        assert_same(run(tmp_path / "killed"), run(tmp_path / "whole"))

    def test_sigterm_saves_where_it_is_and_exits(self, tmp_path):
        ended = run_and_end(tmp_path / "ended", "SIGTERM", after=5)
        assert ended.returncode == 143, ended.stderr
        assert "Traceback" not in ended.stderr
        assert loop.load(tmp_path / "ended" / "state.pt")["step"] in (5, 6)
        assert_same(run(tmp_path / "ended"), run(tmp_path / "whole"))

    def test_out_of_time_saves_where_it_is_and_exits(self, tmp_path):
        for step in (1, 2):
            with pytest.raises(SystemExit, match="143"):
                run(tmp_path / "short", until=0)
            assert loop.load(tmp_path / "short" / "state.pt")["step"] == step
        assert_same(run(tmp_path / "short"), run(tmp_path / "whole"))

    @pytest.mark.parametrize("at", [1, 7, 13, 20])
    def test_wherever_it_stops(self, tmp_path, monkeypatch, at):
        whole = run(tmp_path / "whole")
        with monkeypatch.context() as patch:
            interrupt(patch, at)
            with pytest.raises(Interrupted):
                run(tmp_path / "stopped", every=0)
        torch.manual_seed(at)  # the state of the caller's generators must not matter
        assert_same(run(tmp_path / "stopped"), whole)

    def test_steps_since_the_last_save_are_taken_again(self, tmp_path, monkeypatch):
        with monkeypatch.context() as patch:
            interrupt(patch, 9)
            with pytest.raises(Interrupted):
                run(tmp_path / "stopped", every=0)
        with monkeypatch.context() as patch:
            interrupt(patch, 15)
            with pytest.raises(Interrupted):
                run(tmp_path / "stopped", every=1e9)
        assert loop.load(tmp_path / "stopped" / "state.pt")["step"] == 9
        assert_same(run(tmp_path / "stopped"), run(tmp_path / "whole"))

    def test_a_finished_state_gives_the_model_again(self, tmp_path, monkeypatch):
        first = run(tmp_path)
        interrupt(monkeypatch, 0)
        monkeypatch.setattr(loop.Run, "learn", lambda self: pytest.fail("nothing is left to learn"))
        assert_same(run(tmp_path), first)

    def test_after_early_stopping(self, tmp_path, monkeypatch):
        monkeypatch.setattr(loop.Run, "validate", lambda self, *_: 1.0)
        settings = changed(epochs=30, patience=2)
        whole = run(tmp_path / "whole", settings)
        assert len(whole[1]) == 3
        with monkeypatch.context() as patch:
            interrupt(patch, 10)
            with pytest.raises(Interrupted):
                run(tmp_path / "stopped", settings, every=0)
        assert_same(run(tmp_path / "stopped", settings), whole)


class TestLearn:
    def test_leaves_the_random_state_alone(self, tmp_path):
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        run(tmp_path)
        assert torch.equal(torch.rand(3), expected)

    def test_history(self, tmp_path):
        _, history = run(tmp_path, validation=False)
        assert [row["epoch"] for row in history] == [1, 2, 3]
        assert [row["step"] for row in history] == [7, 14, 21]
        assert all(np.isnan(row["validation_loss"]) for row in history)
        assert history[-1]["learning_rate"] == pytest.approx(0, abs=1e-12)
        assert list(history[0]) == [
            "epoch",
            "step",
            "train_loss",
            "validation_loss",
            "kept",
            "learning_rate",
            "seconds",
        ]

    def test_keeps_the_best_weights_on_validation(self, tmp_path, monkeypatch):
        losses = iter([0.5, 0.4, 0.6])
        monkeypatch.setattr(loop.Run, "validate", lambda self, *_: next(losses))
        kept = run(tmp_path / "best")
        with monkeypatch.context() as patch:
            interrupt(patch, 14)
            losses = iter([0.5, 0.4])
            with pytest.raises(Interrupted):
                run(tmp_path / "two", every=0)
        state = loop.load(tmp_path / "two" / "state.pt")
        for name, weight in kept[0]["weights"].items():
            assert torch.equal(weight, state["averaged"][f"module.{name}"])

    def test_ends_before_training_samples_are_distinguished(self, tmp_path, monkeypatch):
        """Areas as if by epoch: the third is too large, so the weights of the second are kept."""
        areas = iter([0.55, 0.6, 0.7])
        monkeypatch.setattr(denoising._Denoising, "membership_auc", lambda self, network: next(areas))
        losses = iter([3.0, 2.0, 1.0])
        monkeypatch.setattr(denoising._Denoising, "validate", lambda self, network: next(losses))
        model, history = run(tmp_path / "one", changed(epochs=9, max_membership_auc=0.6))
        assert [row["membership_auc"] for row in history] == [0.55, 0.6, 0.7]
        assert [row["kept"] for row in history] == [True, True, False]
        with monkeypatch.context() as patch:
            interrupt(patch, 14)
            areas, losses = iter([0.55, 0.6]), iter([3.0, 2.0])
            with pytest.raises(Interrupted):
                run(tmp_path / "two", changed(epochs=9, max_membership_auc=0.6), every=0)
        state = loop.load(tmp_path / "two" / "state.pt")
        for name, weight in model["weights"].items():
            assert torch.equal(weight, state["averaged"][f"module.{name}"]), name

    def test_over_the_limit_stays_over_it_after_resuming(self, tmp_path, monkeypatch):
        areas = iter([0.55, 0.7])
        monkeypatch.setattr(denoising._Denoising, "membership_auc", lambda self, network: next(areas))
        limited = changed(epochs=9, max_membership_auc=0.6)
        first = run(tmp_path, limited)
        assert_same(first, run(tmp_path, limited))  # no step, and no area, is asked for again

    def test_patience(self, tmp_path, monkeypatch):
        monkeypatch.setattr(loop.Run, "validate", lambda self, *_: 1.0)
        assert len(run(tmp_path / "1", changed(epochs=9, patience=2))[1]) == 3
        assert len(run(tmp_path / "2", changed(epochs=9, patience=0))[1]) == 9

    @pytest.mark.parametrize("content", ["other", "other device", "broken"])
    def test_a_state_of_something_else_is_left_unused(self, tmp_path, content, caplog):
        if content == "other":
            run(tmp_path / "a", seed=4, fingerprint="g")
        elif content == "other device":
            run(tmp_path / "a", seed=4)
            state = loop.load(tmp_path / "a/state.pt", torch.device("cpu"))
            loop.save(tmp_path / "a/state.pt", {**state, "device": "cuda"})
        else:
            (tmp_path / "a").mkdir()
            (tmp_path / "a" / "state.pt").write_bytes(b"half a file")
        with caplog.at_level(logging.WARNING):
            found = run(tmp_path / "a")
        assert "starting afresh" in caplog.text
        assert_same(found, run(tmp_path / "b"))

    def test_validation_does_not_change_what_is_learned(self, tmp_path):
        with_it, without = run(tmp_path / "1"), run(tmp_path / "2", validation=False)
        assert [row["train_loss"] for row in with_it[1]] == [row["train_loss"] for row in without[1]]

    def test_same_seed_same_weights_other_seed_others(self, tmp_path):
        one, two, other = run(tmp_path / "1"), run(tmp_path / "2"), run(tmp_path / "3", seed=2)
        assert_same(one, two)
        assert not torch.equal(one[0]["weights"]["time.layers.0.weight"], other[0]["weights"]["time.layers.0.weight"])

    def test_distinguished_from_the_first_epoch(self, tmp_path, monkeypatch):
        monkeypatch.setattr(denoising._Denoising, "membership_auc", lambda self, network: 0.7)
        with pytest.raises(BadInput, match=r"max_membership_auc: after one epoch .* by 0.700; allow more, or"):
            run(tmp_path, changed(max_membership_auc=0.6))
        with pytest.raises(BadInput, match="max_membership_auc: there are no validation samples"):
            run(tmp_path, changed(max_membership_auc=0.6), validation=False)


class TestLeastSteps:
    def test_an_epoch_is_several_passes(self, tmp_path):
        """100 people in batches of 16 are 7 steps a pass, 21 in three: three passes to an epoch make 60."""
        _, history = run(tmp_path, changed(least_steps=60, patience=0))
        assert [row["step"] for row in history] == [21, 42, 63]
        assert all(0.1 < row["train_loss"] < 3 for row in history)

    def test_every_pass_has_an_order_of_its_own_and_everybody_in_it(self, tmp_path, monkeypatch):
        seen = []
        plain = ddpm.loss

        def noting(diffusion, network, x0, t, label, eps):
            if torch.is_grad_enabled():
                seen.extend(x0[:, 0, 0].tolist())
            return plain(diffusion, network, x0, t, label, eps)

        monkeypatch.setattr(ddpm, "loss", noting)
        run(tmp_path, changed(least_steps=60, patience=0))
        passes = [seen[k : k + 100] for k in range(0, 900, 100)]
        assert all(sorted(one) == sorted(passes[0]) for one in passes)
        assert len({tuple(one) for one in passes}) == 9

    def test_enough_steps_stay_as_they_are(self, tmp_path):
        assert len(run(tmp_path, changed(least_steps=21))[1]) == 3


class TestLearningRate:
    def test_warm_up_then_cosine(self, tmp_path, monkeypatch):
        rates = []
        learn = loop.Run.learn

        def noted(self):
            rates.append(self.optimizer.param_groups[0]["lr"])
            learn(self)

        monkeypatch.setattr(loop.Run, "learn", noted)
        run(tmp_path, validation=False)
        np.testing.assert_allclose(rates[:4], [2e-4 / 3, 4e-4 / 3, 2e-4, 2e-4])
        assert (np.diff(rates[3:]) < 0).all()
        assert rates[3 + 9] == pytest.approx(1e-4)  # half way down


class TestAverage:
    def test_of_all_weights_from_the_initial_ones_on(self, tmp_path, monkeypatch):
        """Against the recursion written out: young averages forget faster, older ones by `ema`."""
        expected, compared = {}, []
        learn = loop.Run.learn

        def compare(self):
            if not expected:
                expected.update({name: weight.clone() for name, weight in self.network.state_dict().items()})
            step = self.step
            learn(self)
            for name, weight in self.network.state_dict().items():
                expected[name] = torch.lerp(expected[name], weight, 1 - min(0.6, (1 + step) / (10 + step)))
            averaged = self.averaged.module.state_dict()
            compared.append(all(torch.equal(averaged[name], weight) for name, weight in expected.items()))

        monkeypatch.setattr(loop.Run, "learn", compare)
        run(tmp_path, changed(ema=0.6))
        assert len(compared) == 21 and all(compared)


class TestLoadFitted:
    def test_foreign_files(self, tmp_path):
        path = tmp_path / "model.pt"
        with pytest.raises(BadInput, match="no such file; run the fit stage first"):
            loop.load_fitted(path, "model 1", "these")
        path.write_text("hello")
        with pytest.raises(BadInput, match="holds no 'model 1'"):
            loop.load_fitted(path, "model 1", "these")
        torch.save({"weights": {}}, path)
        with pytest.raises(BadInput, match="holds no 'model 1'"):
            loop.load_fitted(path, "model 1", "these")
        loop.save(path, {"format": "model 1", "trained_on": "these"})
        assert loop.load_fitted(path, "model 1", "these")["format"] == "model 1"
        with pytest.raises(BadInput, match="was trained on other data; delete it and run the fit stage again"):
            loop.load_fitted(path, "model 1", "those")
