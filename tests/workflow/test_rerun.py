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
    def test_a_setting_of_one_suite_reruns_that_suite(self, copy):
        copy.configure(changed(evaluate__utility={"components": 10}))
        jobs = copy.planned()
        assert jobs["measure_cohort"] == 7
        assert jobs["measure_envelope"] == jobs["measure_reference"] == 1
        assert set(jobs) <= {
            "all", "default", "measure_cohort", "measure_envelope", "measure_reference", "summarise", "plot_metrics",
            "plot_ablation", "write_landing", "write_scorecard", "write_audit", "write_model_card", "describe_run",
            "write_officer_page",
        }  # fmt: skip

    def test_how_often_a_state_is_saved_is_no_part_of_the_result(self, copy):
        copy.configure(changed(generators__latent={"save_every": 7}))
        assert "fit_generator" not in copy.planned("fit")

    def test_a_setting_of_the_sampler_does_not_train_again(self, copy):
        copy.configure(changed(generators__latent__sampler={"steps": 6}))
        jobs = copy.planned()
        assert jobs["draw"] == 2
        assert "fit_generator" not in jobs

    def test_a_setting_of_the_haplotype_sampler_draws_again_and_no_more(self, copy):
        copy.configure(changed(generators__haplotypes__sampler={"steps": 3}))
        jobs = copy.planned()
        assert jobs["draw"] == 2
        assert not {"fit_haplotype_clusters", "fit_generator", "score_individuals"} & set(jobs)

    def test_a_model_that_two_generators_sample_is_trained_once(self, copy):
        copy.configure(changed(generators__haplotypes__reranker={"components": 3}))
        jobs = copy.planned()
        assert (jobs["fit_generator"], jobs["draw"], jobs["score_individuals"]) == (1, 4, 2)
        assert "fit_haplotype_clusters" not in jobs


class TestLibrary:
    def test_an_edit_reruns_what_depends_on_it_and_nothing_else(self, copy):
        module = copy.root / "workflow/scripts/syngeno/evaluate/audit.py"
        module.write_text(module.read_text() + "\n# a comment changes nothing\n")
        assert copy.planned() == {}
        module.write_text(module.read_text() + "\nANSWER = 42\n")
        jobs = copy.planned()
        assert jobs["audit"] == 7 and jobs["measure_envelope"] == 1
        assert not {"encode", "fit_generator", "draw", "score_individuals", "measure_cohort"} & set(jobs)

    def test_an_edit_of_the_evaluation_does_not_train_again(self, copy):
        module = copy.root / "workflow/scripts/syngeno/evaluate/metrics.py"
        module.write_text(module.read_text() + "\nANSWER = 42\n")
        jobs = copy.planned()
        assert {"measure_encoder", "measure_envelope", "measure_cohort", "summarise"} <= set(jobs)
        assert not {"encode", "fit_generator", "draw"} & set(jobs)


class TestInterruption:
    def test_a_killed_training_goes_on_to_the_same_weights(self, copy):
        training = {"epochs": 15, "patience": 0}
        config = changed(generators__latent={"save_every": 0.1}, generators__latent__training=training)
        model = copy.folder / "results/tiny/latent/100/1/fitted.model"
        copy.configure(config)
        copy(str(model.relative_to(copy.folder)))
        undisturbed = torch.load(model, weights_only=True)["weights"]

        model.unlink()
        process = copy.start(str(model.relative_to(copy.folder)))
        state = model.with_name("training.state")
        until = time.monotonic() + 120
        while not state.exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert state.exists(), "the training was over before it could be killed"
        assert not model.exists()

        copy("--unlock")
        said = copy(str(model.relative_to(copy.folder)), "--rerun-incomplete")
        assert "resuming at step" in said
        resumed = torch.load(model, weights_only=True)["weights"]
        assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)
        assert not state.exists()


class TestReproducibility:
    def test_two_runs_give_the_same_numbers_and_the_same_people(self, tiny, tmp_path):
        names = ["latent", "haplotypes"]
        fewer = {"generators": {name: TINY["generators"][name] for name in names}}
        config = {**TINY, **fewer, "evaluate": {**TINY["evaluate"], "ablation": None}}
        again = Run(tmp_path / "again", config)
        folders = [f"tiny/{name}/100/1" for name in names]
        suites = [f"metrics.{suite}" for suite in ("fidelity", "privacy", "utility", "audit")]
        tables = [f"{folder}/{name}.tsv" for folder in folders for name in (*suites, "likelihood", "imputation")]
        tables += ["tiny/prepare/simulated/samples.tsv", "tiny/prepare/samples.tsv", "tiny/summary/real.privacy.tsv"]
        again(*(f"results/{path}" for path in [*tables, *(f"{folder}/synthetic.vcf.gz" for folder in folders)]))
        for path in tables:
            assert again.read(path) == tiny.read(path), path
        assert sum(len(again.read(path).splitlines()) for path in tables) > 500
        for folder in folders:
            path = f"{folder}/synthetic.vcf.gz"
            assert gzip.decompress(again.read(path)) == gzip.decompress(tiny.read(path)), path
