"""Settings of the book, read by Sphinx: ``sphinx-build -c _config book build/html``."""

import os
import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "extensions"))

# Where a Jupyter server is installed, so is this. For the checks of addresses that no
# notebook has, it would compile 38 grammars when nbformat is imported, which takes over
# a second; jsonschema does without it.
sys.modules["rfc3987_syntax"] = None

project = "PyTorch from the Gradient Up"
author = "The authors of PyTorch from the Gradient Up"
copyright = "2026, text CC BY 4.0, code BSD-3-Clause"
language = "en-GB"
# The edition: version and day of release, as people cite it.
citation = dict(
    line.split(": ", 1)
    for line in (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    if ": " in line
)
release = version = citation["version"]

extensions = [
    "early_imports",
    "lighter_libraries",
    "early_formulas",
    "executed_chapters",
    "checked_equations",
    "answers",
    "alternative_texts",
    "misconceptions",
    "error_messages",
    "what_is_checked",
    "incremental",
    "parallel_writing",
    "mathml",
    "page_head",
    "figure_scripts",
    "inline_styles",
    "citation_lists",
    "typst_builder",
    "notebook_builder",
    "sphinxcontrib.bibtex",
]

# The versions that every output of the book comes from.
RUN_WITH = (
    f"Run with Python {sys.version_info.major}.{sys.version_info.minor}, "
    f"torch {metadata.version('torch')}, NumPy {metadata.version('numpy')}."
)

# Every reference must resolve, and a warning says of which kind it is.
nitpicky = True
show_warning_types = True

# Set here: an extension's addition would change Sphinx's own default.
source_suffix = {".md": "myst-nb"}

# Chapters: Markdown with a few extensions of MyST and no others.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_links_external_new_tab = False
myst_ref_domains = ["std"]  # nothing of C++ or JavaScript is described here
myst_update_mathjax = False  # formulas are MathML when the page is built
# A link such as [text](#tensors) takes the label; a page or a term of the same name is
# not meant. Two equal labels are still an error.
suppress_warnings = ["myst.xref_ambiguous"]

# Cells: code from the snippets, run by our own extension.
snippet_root = str(ROOT)
snippet_cache = str(ROOT / "build" / "cells")
snippet_timeout = 60
equation_cache = str(ROOT / "build" / "equations")
expected_outputs = str(ROOT / "tests" / "outputs")
mathml_kept = str(ROOT / "build" / "formulas")
fault_record = str(ROOT / "tests" / "faults" / "record.toml")
# The widgets' scripts would come from a foreign host, and no cell makes a widget.
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
# Notebooks that MyST-NB writes are not part of the site.
nb_output_folder = "notebooks"

# Answers that are not published yet, and until when; `--without-answers` goes before.
answers_file = str(ROOT / "book" / "answers.toml")

# Numbers: exercise 4.2 and equation (4.2) belong to chapter 4.
numfig = True
numfig_secnum_depth = 1
math_numfig = True

bibtex_bibfiles = ["../book/references.bib"]  # relative to this file
bibtex_default_style = "plain"
bibtex_reference_style = "author_year"

html_theme = "sphinx_book_theme"
html_title = project
html_math_renderer = "mathml"
html_static_path = ["static"]
templates_path = ["templates"]
html_css_files = ["frame.css", "book.css", "figures.css"]
html_js_files = [("page.js", {"defer": "defer"})]
html_favicon = "static/nabla.svg"
html_additional_pages = {"404": "404.html"}
html_copy_source = True
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None  # two builds of one state are the same bytes
html_permalinks_icon = "#"
pygments_style = "default"

# Twice as many as cores: the next page is resolved meanwhile. Elsewhere than on Linux
# to fork is not safe.
write_processes = 2 * (os.cpu_count() or 1) if sys.platform == "linux" else 1

# The PDF: `nox -s pdf`.
typst_file = f"pytorch-from-the-gradient-up{os.environ.get('BOOK_EDITION', '')}.pdf"
typst_date = citation["date-released"]
typst_facts = [RUN_WITH]
typst_kept = str(ROOT / "build" / "typst")
typst_code_style = "a11y-high-contrast-light"

# The notebooks: `nox -s notebooks`.
notebook_constraints = str(ROOT / "constraints.txt")
notebook_facts = [RUN_WITH]

# The weekly check of links to other sites; a reason stands beside each exception.
linkcheck_retries = 3
linkcheck_timeout = 30
linkcheck_workers = 4
linkcheck_ignore: list[str] = []

# Where the book is published and edited is known to whoever publishes it.
html_baseurl = os.environ.get("BOOK_URL", "")
# Whoever publishes the pages puts the PDF and the notebooks beside them. On one's own
# machine they lie where their tasks put them, and no page links to them.
published = html_baseurl.rstrip("/")
other_forms = (
    f'<p><a href="{published}/{typst_file}">This book as a PDF</a> · '
    f'<a href="{published}/notebooks.zip">as notebooks</a></p>'
    if published
    else ""
)
repository = os.environ.get("BOOK_REPOSITORY_URL", "")
# Where a page is as a notebook: beside the pages, when they are published, and wherever
# else a variable says. `{page}` stands for the name of the page.
beside = f"{published}/notebooks/{{page}}.ipynb" if published else ""
notebook_places = {
    "This page as a notebook": beside,
    "Open in Colab": os.environ.get("BOOK_COLAB_URL", ""),
    "Open in Binder": os.environ.get("BOOK_BINDER_URL", ""),
    "Open in JupyterHub": os.environ.get("BOOK_JUPYTERHUB_URL", ""),
}
html_context = {
    "notebook_links": {text: url for text, url in notebook_places.items() if url}
}
html_theme_options = {
    "navbar_persistent": [],  # the search stands in the sidebar already
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_edit_page_button": bool(repository),
    "use_repository_button": bool(repository),
    "use_issues_button": bool(repository),
    "repository_url": repository,
    "repository_branch": "main",
    "path_to_docs": "book",
    "extra_footer": f"<p>{RUN_WITH}</p>{other_forms}",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
