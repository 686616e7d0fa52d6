"""The file of what is fitted before the reranker: mosaics of clusters (prior.py) or unlinked variants (unlinked.py)."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch

from syngeno.errors import BadInput
from syngeno.models.ancestry_factors import Clouds, Variants
from syngeno.models.haplotype.hmm import Clusters
from syngeno.models.haplotype.prior import Prior
from syngeno.models.haplotype.proportions import Components
from syngeno.models.haplotype.unlinked import Unlinked

FORMAT, FORMAT_UNLINKED = "syngeno haplotype clusters 3", "syngeno unlinked variants 1"
OF_CLUSTERS, OF_COMPONENTS = ("symbol", "switch", "weight"), ("label", "share", "alpha", "rate", "group")
OF_CLOUDS, OF_FREQUENCIES = ("mean", "root"), ("centre", "scale", "loadings", "unsure", "residual")


def save(path: str | Path, fitted: Prior | Unlinked) -> None:
    """Write as .npz."""
    arrays = {"format": FORMAT if fitted.linked else FORMAT_UNLINKED, "alphabet": fitted.alphabet}
    arrays |= {name: getattr(fitted.components, name) for name in OF_COMPONENTS}
    if fitted.linked:
        arrays["chromosomes"] = len(fitted.chromosomes)
        for i, (chromosome, morgans) in enumerate(zip(fitted.chromosomes, fitted.morgans, strict=True)):
            arrays |= {f"{name}{i}": getattr(chromosome, name).cpu().numpy() for name in OF_CLUSTERS}
            arrays |= {f"edges{i}": chromosome.edges, f"morgans{i}": morgans}
    else:
        arrays["lengths"] = fitted.lengths
        arrays |= {name: getattr(fitted.clouds, name) for name in OF_CLOUDS}
        arrays |= {name: getattr(fitted.frequencies, name) for name in OF_FREQUENCIES}
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)


def load(path: str | Path) -> Prior | Unlinked:
    """Read what `save` wrote; BadInput if missing or foreign."""
    remedy = "run the fit stage again"
    if not Path(path).is_file():
        raise BadInput(path, "no such file", remedy)
    try:
        content = np.load(path)
        kind, alphabet = str(content["format"]), int(content["alphabet"])
        components = Components(*(content[name] for name in OF_COMPONENTS))
        if kind == FORMAT_UNLINKED:
            clouds = Clouds(*(content[name] for name in OF_CLOUDS))
            frequencies = Variants(*(content[name] for name in OF_FREQUENCIES))
            return Unlinked(components, clouds, frequencies, content["lengths"].tolist(), alphabet)
        if kind != FORMAT:
            raise KeyError("format")
        chromosomes = [
            Clusters(*(torch.from_numpy(content[f"{name}{i}"]) for name in OF_CLUSTERS), content[f"edges{i}"])
            for i in range(int(content["chromosomes"]))
        ]
        morgans = [content[f"morgans{i}"] for i in range(len(chromosomes))]
        return Prior(chromosomes, morgans, components, alphabet)
    except (KeyError, ValueError, OSError, EOFError, BadZipFile) as error:
        raise BadInput(path, "holds no clusters of this version of syngeno", f"delete it and {remedy}") from error
