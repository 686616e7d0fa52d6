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
from syngeno.models.latent import model as latent_model
from syngeno.training import device, loop

NETWORK = {
    "embedding": 8,
    "mlp_widths": [16, 8],
    "cnn_base": 4,
    "cnn_multipliers": [1, 2],
    "cnn_attention": [2],
    "cnn_heads": 2,
}
CONFIG = {"steps": 20, "epochs": 3, "batch": 16, "warmup_steps": 3, "learning_rate": 2e-4, "network": NETWORK}
MASK = np.array([[True, True], [True, False], [True, True]])


def people(count, seed=0):
    """Two labels, apart in the first entry; the padded entry is zero as the encoder leaves it."""
    rng = np.random.default_rng(seed)
    label = np.arange(count) % 2
    latents = rng.normal(0, 0.5, (count, 3, 2)).astype(np.float32)
    latents[:, 0, 0] += np.where(label == 1, 1.5, -1.5)
    return latents * MASK, label


def run(folder, config=CONFIG, seed=1, fingerprint="f", validation=True, **saving):
    held = people(30, 9) if validation else None
    return latent_model.train(
        *people(100),
        MASK,
        np.array(["a", "b"]),
        validation=held,
        config=config,
        seed=seed,
        saving=loop.Saving(folder / "state.pt", fingerprint, **saving),
        device="cpu",
    )


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
    import unit.models.latent.test_model as cases
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
        config = {**CONFIG, "epochs": 30, "patience": 2}
        whole = run(tmp_path / "whole", config)
        assert len(whole[1]) == 3
        with monkeypatch.context() as patch:
            interrupt(patch, 10)
            with pytest.raises(Interrupted):
                run(tmp_path / "stopped", config, every=0)
        assert_same(run(tmp_path / "stopped", config), whole)


class TestTrain:
    def test_learns(self, tmp_path):
        config = {**CONFIG, "epochs": 25, "learning_rate": 1e-2, "ema": 0.9, "prediction": "epsilon"}
        model, history = run(tmp_path, config)
        assert history[0]["train_loss"] > 0.9
        assert min(row["validation_loss"] for row in history) < 0.75
        assert model["labels"] == ["a", "b"]
        assert model["low"].shape == (3, 2)

    def test_same_seed_same_weights_other_seed_others(self, tmp_path):
        one, two, other = run(tmp_path / "1"), run(tmp_path / "2"), run(tmp_path / "3", seed=2)
        assert_same(one, two)
        assert not torch.equal(one[0]["weights"]["time.layers.0.weight"], other[0]["weights"]["time.layers.0.weight"])

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
            assert torch.equal(weight, state["ema"][name])

    def test_ends_before_members_are_told(self, tmp_path, monkeypatch):
        """Areas as if by epoch: the third is too large, so the weights of the second are kept."""
        areas = iter([0.55, 0.6, 0.7])
        monkeypatch.setattr(latent_model._Denoising, "told", lambda self, network: next(areas))
        losses = iter([3.0, 2.0, 1.0])
        monkeypatch.setattr(latent_model._Denoising, "validate", lambda self, network: next(losses))
        model, history = run(tmp_path / "one", {**CONFIG, "epochs": 9, "membership": 0.6})
        assert [row["told"] for row in history] == [0.55, 0.6, 0.7]
        assert [row["kept"] for row in history] == [True, True, False]
        with monkeypatch.context() as patch:
            interrupt(patch, 14)
            areas, losses = iter([0.55, 0.6]), iter([3.0, 2.0])
            with pytest.raises(Interrupted):
                run(tmp_path / "two", {**CONFIG, "epochs": 9, "membership": 0.6}, every=0)
        state = loop.load(tmp_path / "two" / "state.pt")
        for name, weight in model["weights"].items():
            assert torch.equal(weight, state["ema"][name]), name

    def test_members_are_told_once_they_are_known_by_heart(self, tmp_path):
        few = {**CONFIG, "epochs": 300, "patience": 0, "batch": 8, "ema": 0.9, "membership": 0.75}
        few |= {"learning_rate": 1e-3, "network": {"kind": "mlp", "embedding": 8, "mlp_widths": [64, 32]}}
        held = people(30, 9)
        _, history = latent_model.train(
            *people(8), MASK, np.array(["a", "b"]), validation=held, config=few, seed=1,
            saving=loop.Saving(tmp_path / "state.pt", "f"), device="cpu",
        )  # fmt: skip
        assert 1 < len(history) < 300
        assert history[-1]["told"] > 0.75 >= max(row["told"] for row in history[:-1])

    def test_told_stays_told_where_it_is_gone_on_with(self, tmp_path, monkeypatch):
        areas = iter([0.55, 0.7])
        monkeypatch.setattr(latent_model._Denoising, "told", lambda self, network: next(areas))
        limited = {**CONFIG, "epochs": 9, "membership": 0.6}
        one = run(tmp_path, limited)
        assert_same(one, run(tmp_path, limited))  # no step, and no area, is asked for again

    def test_told_from_the_first_epoch(self, tmp_path, monkeypatch):
        monkeypatch.setattr(latent_model._Denoising, "told", lambda self, network: 0.7)
        with pytest.raises(BadInput, match=r"membership: after one epoch .* area of 0.700; allow more, or"):
            run(tmp_path, {**CONFIG, "membership": 0.6})
        with pytest.raises(BadInput, match="membership: there are no validation people"):
            run(tmp_path, {**CONFIG, "membership": 0.6}, validation=False)

    def test_patience(self, tmp_path, monkeypatch):
        monkeypatch.setattr(loop.Run, "validate", lambda self, *_: 1.0)
        assert len(run(tmp_path / "1", {**CONFIG, "epochs": 9, "patience": 2})[1]) == 3
        assert len(run(tmp_path / "2", {**CONFIG, "epochs": 9, "patience": 0})[1]) == 9

    @pytest.mark.parametrize("content", ["other", "broken"])
    def test_a_state_of_something_else_is_left_unused(self, tmp_path, content, caplog):
        if content == "other":
            run(tmp_path / "a", seed=4, fingerprint="g")
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

    def test_bad_data(self, tmp_path):
        latents, label = people(20)
        common = {
            "validation": None,
            "config": CONFIG,
            "seed": 1,
            "saving": loop.Saving(tmp_path / "s", ""),
        }
        with pytest.raises(ValueError, match="do not fit together"):
            latent_model.train(latents, label[:5], MASK, ["a", "b"], **common)
        with pytest.raises(ValueError, match="there are 1 labels"):
            latent_model.train(latents, label, MASK, ["a"], **common)
        with pytest.raises(ValueError, match="not finite"):
            latent_model.train(latents * np.nan, label, MASK, ["a", "b"], **common)
        with pytest.raises(ValueError, match="monomorphic"):
            latent_model.train(latents, label, np.zeros_like(MASK), ["a", "b"], **common)


class TestLeastSteps:
    def test_an_epoch_is_several_passes(self, tmp_path):
        """100 people in batches of 16 are 7 steps a pass, 21 in three: three passes to an epoch make 60."""
        _, history = run(tmp_path, CONFIG | {"least_steps": 60, "patience": 0})
        assert [row["step"] for row in history] == [21, 42, 63]
        assert all(0.1 < row["train_loss"] < 3 for row in history)

    def test_every_pass_has_an_order_of_its_own_and_everybody_in_it(self, tmp_path, monkeypatch):
        seen = []
        plain = latent_model.loss

        def noting(diffusion, network, x0, t, label, eps):
            if torch.is_grad_enabled():
                seen.extend(x0[:, 0, 0].tolist())
            return plain(diffusion, network, x0, t, label, eps)

        monkeypatch.setattr(latent_model, "loss", noting)
        run(tmp_path, CONFIG | {"least_steps": 60, "patience": 0})
        passes = [seen[k : k + 100] for k in range(0, 900, 100)]
        assert all(sorted(one) == sorted(passes[0]) for one in passes)
        assert len({tuple(one) for one in passes}) == 9

    def test_enough_steps_stay_as_they_are(self, tmp_path):
        assert len(run(tmp_path, CONFIG | {"least_steps": 21})[1]) == 3


class TestCompiled:
    def made(self):
        torch.manual_seed(1)
        return (
            latent_model.networks.build(3, 2, 2, NETWORK),
            torch.from_numpy(people(6)[0]),
            torch.zeros(6, dtype=torch.long),
        )

    def test_a_compiler_that_fails_leaves_the_network_as_it_is_and_says_so(self, monkeypatch, caplog):
        def compile(network, **settings):
            def broken(*given):
                raise RuntimeError("no compiler here\nand a long story")

            return broken

        monkeypatch.setattr(torch, "compile", compile)
        network, x, codes = self.made()
        assert latent_model._compiled(network, x, codes) is network
        assert "no compiler here" in caplog.text and "long story" not in caplog.text

    def test_what_is_compiled_is_tried_and_leaves_no_gradient(self, monkeypatch):
        tried = []

        def compile(network, **settings):
            return lambda *given: tried.append(given) or network(*given)

        monkeypatch.setattr(torch, "compile", compile)
        network, x, codes = self.made()
        before = {name: value.clone() for name, value in network.state_dict().items()}
        assert latent_model._compiled(network, x, codes) is not network
        assert len(tried) == 1 and all(weight.grad is None for weight in network.parameters())
        assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


class TestLearningRate:
    def test_warm_up_then_cosine(self, tmp_path, monkeypatch):
        rates = []
        learn = loop.Run.learn

        def noted(self):
            rates.append(self.learning_rate())
            learn(self)

        monkeypatch.setattr(loop.Run, "learn", noted)
        run(tmp_path, validation=False)
        np.testing.assert_allclose(rates[:4], [2e-4 / 3, 4e-4 / 3, 2e-4, 2e-4])
        assert (np.diff(rates[3:]) < 0).all()
        assert rates[3 + 9] == pytest.approx(1e-4)  # half way down


class TestComplete:
    def test_defaults(self):
        full = latent_model.complete({"epochs": 7, "network": {"kind": "mlp"}})
        assert (full["epochs"], full["steps"], full["batch"]) == (7, 500, 32)
        assert full["network"]["kind"] == "mlp"
        assert full["network"]["mlp_widths"] == [1024, 512, 256]
        assert latent_model.DEFAULTS["network"] == {}

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"epoch": 3}, "unknown training settings"),
            ({"network": {"cnn": 3}}, "unknown network settings"),
            ({"prediction": "x0"}, "prediction 'x0'"),
            ({"epochs": 0}, "epochs 0"),
            ({"ema": 1.0}, "ema 1.0"),
        ],
    )
    def test_bad_settings(self, change, words):
        with pytest.raises(ValueError, match=words):
            latent_model.complete(change)


class TestModelFile:
    def test_round_trip(self, tmp_path):
        model, _ = run(tmp_path)
        latent_model.save_model(tmp_path / "model.pt", {**model, "trained_on": "these"})
        back = latent_model.load_model(tmp_path / "model.pt", "these")
        assert back["config"] == model["config"]
        assert torch.equal(back["mask"], model["mask"])
        diffusion, network = latent_model.restore(back, torch.device("cpu"))
        assert diffusion.steps == 20
        assert all(torch.equal(weight, model["weights"][name]) for name, weight in network.state_dict().items())
        assert not (tmp_path / "model.pt.part").exists()

    def test_foreign_files(self, tmp_path):
        path = tmp_path / "model.pt"
        with pytest.raises(BadInput, match="no such file"):
            latent_model.load_model(path)
        path.write_text("hello")
        with pytest.raises(BadInput, match="not a diffusion model"):
            latent_model.load_model(path)
        torch.save({"weights": {}}, path)
        with pytest.raises(BadInput, match="not a diffusion model"):
            latent_model.load_model(path)
        model = run(tmp_path)[0]
        latent_model.save_model(path, {**model, "trained_on": "these"})
        with pytest.raises(BadInput, match="trained on other people, variants or settings"):
            latent_model.load_model(path, "those")


class TestLevels:
    def test_spread_evenly_over_all_steps(self):
        levels = latent_model._levels(40, 20, torch.device("cpu"))
        assert sorted(levels.tolist()) == [t for t in range(1, 21) for _ in range(2)]
        assert latent_model._levels(1, 20, torch.device("cpu")).item() in range(1, 21)


class TestMixedSeed:
    def test_differs_by_part_and_order(self):
        seeds = {device.mixed_seed(*parts) for parts in ((1,), (1, 0, 1), (1, 1), (1, 2), (2, 1))}
        assert len(seeds) == 5
        assert all(0 <= seed < 2**63 for seed in seeds)
