"""Write config.md beside this file: every key of a run file, from the schema and the catalogue (`make docs`)."""

from pathlib import Path

import yaml

from syngeno.models.catalogue import KINDS
from syngeno.workflow.manual import config_page

SCHEMA = Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml"

Path(__file__).with_name("config.md").write_text(config_page(yaml.safe_load(SCHEMA.read_text()), KINDS))
