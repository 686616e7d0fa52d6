"""What the site needs beside the pages: links to files outside docs/ become the names of these files.

The pages link to run files, code and the changelog, which are not part of the site; tests/unit/test_docs.py checks that
these files exist.
"""

import posixpath
import re


def on_page_markdown(markdown: str, page: object, **_: object) -> str:
    """The page with `text path` for each link that leaves docs/, and the path alone where that is the text."""
    folder = posixpath.join("docs", posixpath.dirname(page.file.src_uri))

    def named(link: re.Match) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[2]))
        if path.startswith("docs/"):
            return link[0]
        return f"`{path}`" if path.endswith(link[1].strip("`")) else f"{link[1]} `{path}`"

    return re.sub(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)\)", named, markdown)
