"""The kinds of generators, each with what rules, checks, cards and figures need to know of it.

Whoever adds a kind adds a module, a line here, a block of the schema and a test (docs/developers/add-a-generator.md).
Read while the Snakefile is parsed, so nothing heavy is imported.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What is known of a kind of generator before anything is fitted.

    Attributes:
        sentence: what it is, on cards and in the docs.
        marker: in figures.
        model: module below `syngeno.models` and class, "haplotype.model:HaplotypeDiffusion"; empty where nothing is
            fitted.
        source: of its synthetic cohort: "model", "imputation" (of another generator's samples), "files" (of the user)
            or "training samples", which are judged in its place and never released.
        trains: it learns step by step, with a history, a state that outlives a killed job, and a GPU if there is one.
        likelihood: it has `log_prob`.
        whitebox: the model itself is attacked, by its likelihood or, where it has none, by `member_score`.
        scored_by: settings of the sampler that change how probable a sample is, not only how it is drawn.
        needs: files of this fraction and seed that it is fitted on beside the genotypes: "clusters" (its own rule
            fits them), "encoder" and "latents" (made by the prepare stage).
        admixture: its samples are of tracts of ancestries, so `sample` takes `local_ancestry` and `proportions`.
        suits: the cohorts that it is our choice for, those of "linked" or of "unlinked" variants (see
            `stats.linkage`); empty for controls, and for what is chosen for other reasons.
        fit_memory, draw_memory: megabytes that a job asks for, and megabytes more per million genotypes.
        fit_minutes, draw_minutes: the same of minutes.
    """

    sentence: str = ""
    marker: str = "o"
    model: str = ""
    source: str = "model"
    trains: bool = False
    likelihood: bool = False
    whitebox: bool = False
    scored_by: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    admixture: bool = False
    suits: str = ""
    fit_memory: tuple[float, float] = (1000, 2)
    fit_minutes: tuple[float, float] = (60, 0.2)
    draw_memory: tuple[float, float] = (1000, 2)
    draw_minutes: tuple[float, float] = (60, 0.2)

    @property
    def module(self) -> str:
        """The library module, below `syngeno`; empty where nothing is fitted."""
        return f"models.{self.model.partition(':')[0]}" if self.model else ""

    @property
    def released(self) -> bool:
        """Whether its samples may leave the run at all."""
        return self.source != "training samples"

    @property
    def encoded(self) -> bool:
        """Whether it draws in the encoder's space."""
        return "encoder" in self.needs


KINDS = {
    "haplotype_diffusion": Kind(
        "Masked diffusion over mosaics of ancestral haplotype clusters, reranked by a network.",
        "o",
        "haplotype.model:HaplotypeDiffusion",
        trains=True,
        likelihood=True,
        whitebox=True,
        scored_by=("reranker_weight", "temperature"),
        needs=("clusters",),
        admixture=True,
        suits="linked",
        fit_memory=(2000, 4),
        fit_minutes=(120, 0.1),
        draw_memory=(2000, 8),
    ),
    "latent_diffusion": Kind(
        "Diffusion of genotypes encoded gene by gene, as in Kenneweg et al. (2025).",
        "D",
        "latent.model:LatentDiffusion",
        trains=True,
        whitebox=True,
        needs=("encoder", "latents"),
        fit_memory=(4000, 4),
        fit_minutes=(480, 0.2),
    ),
    "li_stephens": Kind(
        "Mosaics of training haplotypes (Li & Stephens 2003).", "v", "li_stephens:LiStephens", likelihood=True
    ),
    "ancestry_factors": Kind(
        "Each variant by itself, given where a sample lies on a few axes of ancestry.",
        "X",
        "ancestry_factors:AncestryFactors",
        likelihood=True,
        suits="unlinked",
    ),
    "markov": Kind("Each allele from the few alleles before it.", "^", "markov:Markov", likelihood=True),
    "independent": Kind(
        "Each variant by itself, from its label's allele frequencies.", "s", "independent:Independent", likelihood=True
    ),
    "recombined": Kind(
        "Training haplotypes, recombined over a few generations as RESHAPE does (Cavinato et al. 2024).",
        "p",
        "recombined:Recombined",
    ),
    "coalescent": Kind(
        "A simulated population that never saw the cohort: the floor of risk, with no utility.",
        ">",
        "coalescent:Coalescent",
        draw_memory=(4000, 4),
        draw_minutes=(240, 0.2),
    ),
    "copycat": Kind(
        "The training samples themselves: what every privacy metric must catch.", "P", source="training samples"
    ),
    "external": Kind("A synthetic cohort that another tool made.", "*", source="files"),
    "imputed": Kind("Samples of few variants, imputed by Beagle from a reference panel.", "h", source="imputation"),
}

# Kinds that had other names in version 0.1: what is written now.
RENAMED = {
    "diffusion": "latent_diffusion, or haplotype_diffusion where it had `space: haplotype` or `genotype`",
    "copying": "li_stephens",
    "factors": "ancestry_factors",
}
