"""Configuration of the documentation, and the lists of its API pages."""

import inspect
import re
from pathlib import Path

import sklearn_mm

project = "sklearn_mm"
author = "The sklearn_mm developers"
version = release = sklearn_mm.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_mm"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": "sklearn_mm",
    },
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {
    page: [] for page in ["index", "which_fusion", "coming_from", "design", "changelog"]
}

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_default_options = {"members": True, "inherited-members": True}
autodoc_preserve_defaults = True
autosummary_generate = True
toc_object_entries_show_parents = "hide"

HERE = Path(__file__).parent
#: Examples that train networks for minutes: shown without being run.
SLOW = ["cnn_lstm_voting", "joint_network"]
sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "auto_examples",
    "filename_pattern": rf"/(?!(?:{'|'.join(SLOW)})\.py)[^/]+\.py$",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "default_thumb_file": str(HERE / "_static" / "logo.svg"),
}

#: Headings of the API, and the modules whose public names belong under them. The most
#: specific module wins.
SUBJECTS = {
    "Whole tables": ["compose"],
    "Images, audio, text, sequences, video, vectors": [
        "image",
        "audio",
        "text",
        "sequence",
        "video",
        "vector",
        "cache",
        "compose._context",
    ],
    "Modalities and tables": [
        "modalities",
        "_columns.modality",
        "_columns.names",
        "_columns.table",
    ],
    "Pretrained models": ["pretrained"],
    "Fusion of models": ["ensemble"],
    "Networks": ["neural"],
    "Backbones, fusion layers, losses": ["nets"],
    "Between modalities": ["alignment", "neural._aligner"],
    "Speech": ["speech"],
    "Metrics": ["metrics"],
    "Inspection": ["inspection"],
    "Tables larger than memory": ["dask_frames"],
    "Saved models": ["persistence"],
    "Data sets": ["datasets"],
    "Errors and warnings": ["exceptions"],
    "Other": [""],
}


def find_public_names():
    """Map the shortest path of each public name to its value and its module."""
    names = {}
    packages = [n for n in sklearn_mm.__all__ if inspect.ismodule(_get(n))]
    for package in ["", *packages]:
        owner = _get(package) if package else sklearn_mm
        for name in owner.__all__:
            value = getattr(owner, name)
            known = any(value is seen for seen, _ in names.values())
            if not inspect.ismodule(value) and not known:
                home = getattr(value, "__module__", "")
                home = home if home.startswith("sklearn_mm.") else owner.__name__
                path = f"{package}.{name}".removeprefix(".")
                names[path] = value, home.removeprefix("sklearn_mm").removeprefix(".")
    return names


def _get(name):
    return getattr(sklearn_mm, name)


def group_by_subject():
    """List the public paths under each heading."""
    groups = {subject: [] for subject in SUBJECTS}
    for path, (value, home) in find_public_names().items():
        fitting = {
            module: subject
            for subject, modules in SUBJECTS.items()
            for module in modules
            if f"{home}.".startswith(f"{module}.") or not module
        }
        subject = fitting[max(fitting, key=len)]
        if inspect.isclass(value) and issubclass(value, Exception):
            subject = "Errors and warnings"
        groups[subject].append(path)
    return {subject: paths for subject, paths in groups.items() if paths}


def write_api(app, config):
    """Write a page for each heading, which autosummary reads, and their index."""
    groups = group_by_subject()
    slugs = {subject: re.sub(r"\W+", "_", subject.lower()) for subject in groups}
    head = ["API", "===", "", "All public names, by subject.", "", ".. toctree::"]
    _write_page("index", [*head, "   :maxdepth: 2", "", *_indent(slugs.values())])
    for page in (HERE / "api").glob("*.rst"):
        if page.stem not in ("index", *slugs.values()):  # a heading of an earlier build
            page.unlink()
    for subject, paths in groups.items():
        head = [subject, "=" * len(subject), "", ".. currentmodule:: sklearn_mm", ""]
        table = [".. autosummary::", "   :toctree: generated", "   :nosignatures:", ""]
        _write_page(slugs[subject], [*head, *table, *_indent(paths)])


def _indent(lines):
    return [f"   {line}" for line in lines]


def _write_page(name, lines):
    page = HERE / "api" / f"{name}.rst"
    page.parent.mkdir(exist_ok=True)
    text = "\n".join([*lines, ""])
    if not page.exists() or page.read_text() != text:  # else Sphinx would read it again
        page.write_text(text)


def skip_foreign_members(app, what, name, member, skip, options):
    """Leave out members that are inherited from other packages."""
    member = getattr(member, "fget", member)
    home = getattr(member, "__module__", None) or ""
    return skip or not home.startswith("sklearn_mm.")


def entitle_example(app, docname, source):
    """Turn the first sentence of an example into its title, unless it has one."""
    if not docname.startswith("auto_examples/"):
        return
    label = re.search(r"\.\. _sphx_glr_[\w.]+:\n\n", source[0])
    if label is None:
        return
    before, after = source[0][: label.end()], source[0][label.end() :]
    paragraph, gap, rest = after.partition("\n\n")
    if re.search(r"^(\W)\1{2,}$", paragraph, re.MULTILINE):  # underlined already
        return
    title = " ".join(paragraph.split()).removesuffix(".")
    source[0] = f"{before}{title}\n{'=' * len(title)}{gap}{rest}"


def trim_code(app, doctree):
    """Drop the blank line that marks the end of an output for doctest."""
    from docutils import nodes

    for block in doctree.findall(nodes.literal_block):
        if block.astext().startswith(">>> "):
            block.rawsource = block.astext().rstrip()  # equal, or it has no colours
            block[:] = [nodes.Text(block.rawsource)]


def link_public_names(app, doctree):
    """Link names in code font to their API pages."""
    from docutils import nodes
    from sphinx.addnodes import pending_xref

    paths = {path.split(".")[-1]: path for path in find_public_names()}
    for literal in list(doctree.findall(nodes.literal)):
        path = paths.get(literal.astext().removesuffix("()"))
        if path is None or isinstance(literal.parent, nodes.reference | pending_xref):
            continue
        link = pending_xref(
            "", refdomain="py", reftype="obj", reftarget=f"sklearn_mm.{path}"
        )
        literal.replace_self(link)
        link += literal


def setup(app):
    """Connect the functions above."""
    app.connect("config-inited", write_api)
    app.connect("autodoc-skip-member", skip_foreign_members)
    app.connect("source-read", entitle_example)
    app.connect("doctree-read", trim_code)
    app.connect("doctree-read", link_public_names)
