"""Every image has an alternative text: a located warning for each that has none."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)


def check_images(app: Sphinx, doctree: nodes.document) -> None:
    """Report the images of one page that a reader who cannot see them would miss."""
    for image in doctree.findall(nodes.image):
        if not image.get("alt", "").strip():
            logger.warning(
                "the image %r has no alternative text; "
                "add ':alt:' with a sentence that says what it shows",
                image["uri"],
                location=image,
                type="image",
                subtype="alt",
            )


def setup(app: Sphinx) -> ExtensionMetadata:
    """Check each page when it has been read."""
    app.connect("doctree-read", check_images)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
