"""How Sphinx builds these pages: see `make docs`. Nothing is fetched."""

from __future__ import annotations

import famcore
import famcore.backend

project = "famcore"
version = release = famcore.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]

smartquotes = False
html_theme = "furo"
html_title = f"famcore {version}"
html_copy_source = False
html_show_copyright = False

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
# Docstrings have their code in single backticks: a name that these pages hold is a link.
default_role = "py:obj"
nitpick_ignore_regex = [
    ("py:obj", ".*"),
    # Python's own, and what stands for several of them.
    ("py:class", r"(abc|collections\.abc|enum|os|typing)\..*"),
    ("py:class", "Any|Callable|Hashable|Iterable|Iterator|Mapping|Sequence"),
    # Iterated over, and nothing else.
    ("py:class", r"famcore\.monitor\.batches\.Batches"),
]

#: Each public name → where these pages have it.
PUBLIC = {
    name: f"{module.__name__}.{name}"
    for module in (famcore.backend, famcore)
    for name in module.__all__
}


def find_public(app, env, node, contnode):
    """Link a public name that is called by the module it comes from, or by no module."""
    target = node.get("reftarget", "")
    public = PUBLIC.get(target.rpartition(".")[2])
    if node.get("refdomain") != "py" or public in (None, target):
        return None
    return env.domains.python_domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", public, node, contnode
    )


def setup(app):
    """Called by Sphinx."""
    app.connect("missing-reference", find_public)
