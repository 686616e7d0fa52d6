"""What depends on real samples alone, kept in one file per suite so that it is computed once for all generators.

A suite's reference is a dataclass of arrays, of dictionaries of arrays, and of None where there is nothing.
"""

import os
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import numpy as np

from syngeno.errors import BadInput

Reference = TypeVar("Reference")


def save(reference: object, path: str | Path) -> None:
    """Write a reference as .npz, whole or not at all; an entry of a dictionary is called "field/key"."""
    path, arrays = Path(path), {}
    for name, value in vars(reference).items():
        if isinstance(value, dict):
            arrays |= {f"{name}/{key}": array for key, array in value.items()}
        elif value is not None:
            arrays[name] = value
    temporary = path.with_name(f"{path.name}.part")
    with open(temporary, "wb") as file:
        np.savez(file, **arrays)
    os.replace(temporary, path)


def load(kind: type[Reference], path: str | Path) -> Reference:
    """Read what `save` wrote of this dataclass: {} for a dictionary without entries, None for an array that is absent.

    Raises BadInput for another file.
    """
    names = {field.name: field.type for field in fields(kind)}
    values = {name: {} if "dict[" in str(annotation) else None for name, annotation in names.items()}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for name in archive.files:
                field, _, key = name.partition("/")
                if key:
                    values[field][key] = archive[name]
                else:
                    values[field] = archive[name]
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise BadInput(path, f"is no reference of {kind.__module__} ({error})", "delete it and run again") from error
    if set(values) != set(names):
        raise BadInput(path, f"is the reference of something other than {kind.__module__}", "delete it and run again")
    return kind(**values)
