# What the rules of paper.smk ask for: functions of wildcards. No rules here.


ENCODED = PLAN.names(lambda kind: kind.encoded)
# Classifiers take the GPU that the denoisers are trained on.
CLASSIFIER_GPU = max((PLAN.settings(name)["gpu"] for name in ENCODED), default=0)
# The folder of classifiers trained on real samples alone, in the place of a generator's.
REAL = "prepare"
# One map shows the generators at the largest fraction of all, and the first seed.
LARGEST = max((share for name in ENCODED for share in fractions(name)), default=100)
MAPPED = [name for name in ENCODED if LARGEST in fractions(name)]


def paper_settings(section):
    """A params function: one section of the settings of the paper's experiments."""
    return lambda wildcards: PAPER[section]


def added_fractions(wildcards, fraction=None):
    """Percentages of real samples that are added to a generator's for the paper's classifiers, 0 for none.

    Augmentation: those that the generator itself was fitted on (honest), and beside a generator that was fitted on all
    of them each smaller share (as in the paper).
    """
    fraction = fraction or int(wildcards.fraction)
    if wildcards.generator not in PAPER["augment"]:
        return [0]
    smaller = [share for share in fractions(wildcards.generator) if share < 100]
    return [0, *(smaller if fraction == 100 else [fraction])]


def compared_fractions(wildcards):
    """Percentages of real samples whose classifiers a generator's are compared with: its own, and those added."""
    return sorted({int(wildcards.fraction), *added_fractions(wildcards)} - {0})


def paper_guesses(wildcards):
    """Beside an honest generator: guesses after training on as few real samples and on samples of the same generator,
    fitted on all."""
    fraction = int(wildcards.fraction)
    if fraction == 100 or fraction not in added_fractions(wildcards, 100):
        return []
    pattern = "results/{cohort}/{generator}/100/{seed}/paper/guesses.{fraction}.tsv"
    return pattern.format(**wildcards)


def drawn(file):
    """An input function: a file of the synthetic cohort that classifiers are trained on; none where it is real."""

    def files(wildcards):
        real = wildcards.generator == REAL or not kind_of(wildcards.generator).released
        pattern = "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.{file}"
        return [] if real else pattern.format(**wildcards, file=file)

    return files


def real_samples(wildcards):
    """Tables of the real samples that classifiers are trained on: those that stand in for synthetic ones, and those added."""
    stand_in = wildcards.generator != REAL and not drawn("labels.tsv")(wildcards)
    shares = [wildcards.fraction] if stand_in else []
    shares += [wildcards.added] if wildcards.added != "0" else []
    pattern = "results/{cohort}/prepare/{share}/{seed}/training_samples.tsv"
    return expand(pattern, **wildcards, share=shares)
