"""Every image has an alternative text: a located warning for each that has none."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from places import line_of

logger = logging.getLogger(__name__)


class CheckImages(SphinxTransform):
    """Report the images of one page that a reader who cannot see them would miss."""

    # Before Sphinx looks for the files, so that its own warnings have a line too.
    default_priority = 100

    def apply(self, **kwargs: object) -> None:
        """Give each image its line, and warn of those without a text."""
        for image in self.document.findall(nodes.image):
            if not image.line:
                # MyST gives ![](image.png) neither a line nor a parent with one.
                image.line = line_of(self.env, self.env.docname, image["uri"])
                image.source = str(self.env.doc2path(self.env.docname))
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
    app.add_transform(CheckImages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
