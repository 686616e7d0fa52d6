"""What re-runs when: settings, library modules, a killed training; and whether a run can be repeated."""

import gzip
import os
import signal
import time

import pytest
import torch
import yaml
from runs import TINY, Run

pytestmark = pytest.mark.workflow


def changed(**sections):
    config = yaml.safe_load(yaml.safe_dump(TINY))
    for path, settings in sections.items():
        part = config
        for key in path.split("__"):
            part = part.setdefault(key, {})
        part.update(settings)
    return config


class TestSettings:
    def test_a_setting_of_one_battery_reruns_that_battery(self, copy):
        copy.configure(changed(evaluate__utility={"components": 10}))
        jobs = copy.planned()
        # The copycat's cohort was deleted once it was judged: it is made again, and judged again by all batteries.
        assert jobs["measure_synthetic"] == 7 + 2
        assert jobs["measure_real"] == 1
        assert set(jobs) <= {
            "all", "copy_people", "measure_synthetic", "audit_people", "impute_heldout", "measure_real", "summarise",
            "plot_metrics", "plot_ablation", "write_scorecard", "write_audit", "write_card", "describe_run",
        }  # fmt: skip

    def test_how_often_a_state_is_saved_is_no_part_of_the_result(self, copy):
        copy.configure(changed(generators__diffusion__training={"save_every": 7}))
        assert "train_diffusion" not in copy.planned("train")

    def test_a_setting_of_the_sampler_does_not_train_again(self, copy):
        copy.configure(changed(generators__diffusion__sampler={"steps": 6}))
        jobs = copy.planned()
        assert jobs["sample_shard"] == 2
        assert "train_diffusion" not in jobs
        assert "draw_control" not in jobs

    def test_a_setting_of_the_masked_sampler_draws_again_and_no_more(self, copy):
        copy.configure(changed(generators__masked__sampler={"steps": 3}))
        jobs = copy.planned()
        assert jobs["draw_shard"] == 2
        assert not {"learn_founders", "train_energy", "measure_bound", "draw_control"} & set(jobs)

    def test_a_model_that_two_generators_sample_is_trained_once(self, copy):
        copy.configure(changed(generators__masked={"components": 3}))
        jobs = copy.planned()
        assert (jobs["train_energy"], jobs["draw_shard"], jobs["measure_bound"]) == (1, 4, 2)
        assert "learn_founders" not in jobs


class TestLibrary:
    def test_an_edit_reruns_what_depends_on_it_and_nothing_else(self, copy):
        module = copy.root / "workflow/scripts/syngeno/stats/kinship.py"
        module.write_text(module.read_text() + "\n# a comment changes nothing\n")
        assert copy.planned() == {}
        module.write_text(module.read_text() + "\nANSWER = 42\n")
        jobs = copy.planned()
        assert jobs["find_relatives"] == 1 and jobs["audit_people"] == 7 and jobs["measure_real"] == 1
        assert not {"encode", "train_diffusion", "sample_shard", "draw_control", "attack_denoiser"} & set(jobs)
        # Only the copycat's cohort is made and judged anew by the other batteries, as it was deleted.
        assert jobs["measure_synthetic"] == 3

    def test_an_edit_of_the_evaluation_does_not_train_again(self, copy):
        module = copy.root / "workflow/scripts/syngeno/evaluate/metrics.py"
        module.write_text(module.read_text() + "\nANSWER = 42\n")
        jobs = copy.planned()
        assert {"measure_encoder", "measure_real", "measure_synthetic", "summarise"} <= set(jobs)
        assert not {"encode", "train_diffusion", "sample_shard", "draw_control"} & set(jobs)


class TestInterruption:
    def test_a_killed_training_goes_on_to_the_same_weights(self, copy):
        config = changed(generators__diffusion__training={"epochs": 40, "save_every": 0.2, "patience": 0})
        model = copy.folder / "results/tiny/diffusion/100/1/model.pt"
        copy.configure(config)
        copy(str(model.relative_to(copy.folder)))
        undisturbed = torch.load(model, weights_only=True)["weights"]

        model.unlink()
        process = copy.start(str(model.relative_to(copy.folder)))
        state = model.with_name("training.state")
        until = time.monotonic() + 120
        while not state.exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.02)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert state.exists(), "the training was over before it could be killed"
        assert not model.exists()

        copy("--unlock")
        said = copy(str(model.relative_to(copy.folder)), "--rerun-incomplete")
        assert "going on from step" in said
        resumed = torch.load(model, weights_only=True)["weights"]
        assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)
        assert not state.exists()


class TestReproducibility:
    def test_two_runs_give_the_same_numbers_and_the_same_people(self, tiny, tmp_path):
        names = ["diffusion", "masked", "independent"]
        fewer = {"generators": {name: TINY["generators"][name] for name in names}}
        config = {**TINY, **fewer, "evaluate": {**TINY["evaluate"], "ablation": None}}
        again = Run(tmp_path / "again", config)
        again("results/tiny/summary/metrics.tsv", "results/tiny/diffusion/100/1/synthetic.vcf.gz")
        for path in ("tiny/prepare/simulated/people.tsv", "tiny/prepare/people.tsv"):
            assert again.read(path) == tiny.read(path), path
        ours, theirs = (run.read("tiny/summary/metrics.tsv").decode().splitlines() for run in (again, tiny))
        assert set(ours) <= set(theirs)
        assert len(ours) > 100
        for name in ("diffusion", "independent"):
            path = f"tiny/{name}/100/1/synthetic.vcf.gz"
            assert gzip.decompress(again.read(path)) == gzip.decompress(tiny.read(path)), path
