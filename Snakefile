# syngeno: from genotypes and labels to a synthetic cohort and the report that judges it.
# The stages, in order: prepare, fit, sample, evaluate, report, release; each is a target of its own.

from snakemake.utils import min_version

min_version("9.0")


# The embedded cohort runs only where the user brings no run file: Snakemake merges nested
# configurations, and a default file with cohorts would slip into every run.
if "cohorts" not in config:

    configfile: workflow.source_path("config/config.yaml")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/functions/prepare.smk"
include: "workflow/rules/functions/fit.smk"
include: "workflow/rules/functions/impute.smk"
include: "workflow/rules/functions/sample.smk"
include: "workflow/rules/functions/reference.smk"
include: "workflow/rules/functions/evaluate.smk"
include: "workflow/rules/functions/paper.smk"
include: "workflow/rules/functions/report.smk"
include: "workflow/rules/functions/release.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/impute.smk"
include: "workflow/rules/sample.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/release.smk"


rule all:
    default_target: True
    input:
        rules.sample.input,
        rules.report.input,
        rules.release.input if CONVERTED else [],


onstart:
    CONSOLE.begin()


onsuccess:
    CONSOLE.end(made=made())


onerror:
    CONSOLE.end(failed=True)
