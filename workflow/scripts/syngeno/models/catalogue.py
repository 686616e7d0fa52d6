"""The classical kinds of generators by name, each with the module that holds it.

Read while the Snakefile is parsed, so nothing is imported here.
"""

MODULES = {
    "independent": "models.independent",
    "markov": "models.markov",
    "copying": "models.li_stephens",
    "factors": "models.ancestry_factors",
}
