"""The metric suites by name, each with the module that holds it.

Read while the Snakefile is parsed, so nothing is imported here.
"""

MODULES = {
    "fidelity": "evaluate.fidelity",
    "privacy": "evaluate.adversarial_accuracy",
    "utility": "evaluate.utility",
    "audit": "evaluate.audit",
}
# What depends on real samples alone is measured apart for each of them, and for these.
REFERENCES = MODULES | {"imputation": "evaluate.imputation", "neighbours": "evaluate.neighbours"}
