"""Named streams of random numbers: every draw of the project comes from a seed and the stream of one purpose.

Two purposes that share a number draw the same numbers from the same seed, so the numbers stand here, once each.
"""

import numpy as np

NUMBERS = {
    # evaluation
    "adversarial_accuracy_thinning": 0,
    "adversarial_accuracy_yale": 1,
    "paired_bootstrap": 2,
    "encoder_concordance": 3,
    "neighbours_among_few": 6,
    "planted_canaries": 11,
    "membership_tpr_bootstrap": 12,
    "membership_gain_bootstrap": 13,
    "lira_bootstrap": 16,
    "lira_risk_bootstrap": 17,
    "inference_targets": 14,
    "singling_out_predicates": 15,
    "association_samples": 64,
    "sinkhorn_subsample": 50,
    "distances_subsample": 51,
    "imputation_typed_variants": 41,
    "imputation_bootstrap": 42,
    "imputation_synthetic_panel": 43,
    "imputation_real_panel": 44,
    "imputed_panel_targets": 52,
    "umap_subsample": 9,
    # generators
    "latent_decoding": 4,
    "latent_sampling": 53,
    "latent_score_noise": 5,
    "latent_reconstruction_noise": 8,
    "classifier_weights": 7,
    "independent_sampling": 54,
    "markov_validation": 20,
    "markov_sampling": 21,
    "li_stephens_validation": 22,
    "li_stephens_sampling": 23,
    "clusters_validation": 24,
    "clusters_seeds": 26,
    "haplotype_sampling": 30,
    "haplotype_contrast": 31,
    "haplotype_normaliser": 32,
    "haplotype_membership": 33,
    "haplotype_painting": 36,
    "haplotype_proportions": 37,
    "unlinked_likelihood": 38,
    "private_runs": 34,
    "ancestry_factors_validation": 40,
    "ancestry_factors_sampling": 45,
    "ancestry_factors_likelihood": 46,
    "recombined_sampling": 70,
    "coalescent_population": 71,
    "coalescent_sampling": 72,
    "classical_validation": 56,
    "classical_sampling": 57,
    "training_weights": 60,
    "training_steps": 61,
    "training_validation": 62,
    "training_order": 63,
    # preparation
    "reference_bases": 55,
}


def entropy(stream: str, seed: int, *more: int) -> list[int]:
    """What seeds a stream; `more` distinguishes parts of it (a shard, say). Raises ValueError for an unknown stream."""
    if stream not in NUMBERS:
        raise ValueError(f"there is no stream of random numbers '{stream}'")
    return [seed, NUMBERS[stream], *more]


def rng(stream: str, seed: int, *more: int) -> np.random.Generator:
    """numpy's generator of a stream."""
    return np.random.default_rng(entropy(stream, seed, *more))
