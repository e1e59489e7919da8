"""Lists of all kinds, the glossary, notes and sources."""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes

from typst_builder.base import Translator
from typst_builder.escape import content

NUMBERINGS = {
    "arabic": "1",
    "loweralpha": "a",
    "upperalpha": "A",
    "lowerroman": "i",
    "upperroman": "I",
}


class ListVisitor(Translator):
    """Visitors of lists."""

    def visit_bullet_list(self, node: nodes.bullet_list) -> None:
        """Write a list."""
        self.block(node, f"#list(tight:{_tight(node)},{self._items(node)})")
        raise nodes.SkipNode

    def visit_enumerated_list(self, node: nodes.enumerated_list) -> None:
        """Write a numbered list, with the numbers of the page."""
        style = NUMBERINGS[node.get("enumtype", "arabic")]
        numbering = f"{node.get('prefix', '')}{style}{node.get('suffix', '.')}"
        options = f'numbering:"{numbering}",start:{node.get("start", 1)}'
        code = f"#enum(tight:{_tight(node)},{options},{self._items(node)})"
        self.block(node, code)
        raise nodes.SkipNode

    def _items(self, node: nodes.Element) -> str:
        items = [child for child in node if isinstance(child, nodes.list_item)]
        return ",".join(
            f"[{self.anchor(*item['ids'])}{self.within(item)}]" for item in items
        )

    def visit_hlist(self, node: addnodes.hlist) -> None:
        """Write a list in columns as one list."""
        self.write(self.within(node))
        raise nodes.SkipNode

    visit_hlistcol = visit_hlist
    visit_acks = visit_hlist

    def visit_definition_list(self, node: nodes.definition_list) -> None:
        """Write terms and what they mean."""
        items = [self._definition(item) for item in node]  # type: ignore[arg-type]
        self.block(node, f"#definitions({','.join(items)})")
        raise nodes.SkipNode

    def _definition(self, item: nodes.Element) -> str:
        terms, body = [], []
        for child in item:
            assert isinstance(child, nodes.Element)
            if isinstance(child, nodes.term | nodes.classifier):
                anchor = self.anchor(*child["ids"])
                terms.append(anchor + self.within(child))
            else:
                body.append(self.begun_within(child))
        return f"([{', '.join(terms)}],[{''.join(body)}])"

    def begun_within(self, node: nodes.Element) -> str:
        """The children of a node; the first paragraph goes on with what stands before.

        So a term and the first line of what it means are not parted.
        """
        first = node.children[0] if node.children else None
        if not isinstance(first, nodes.paragraph):
            return self.within(node)
        node.remove(first)
        return self.anchor(*first["ids"]) + self.within(first) + self.within(node)

    def visit_glossary(self, node: addnodes.glossary) -> None:
        """Write the glossary's list."""
        self.write(self.within(node))
        raise nodes.SkipNode

    def visit_field_list(self, node: nodes.field_list) -> None:
        """Write fields as definitions; those at the head of a page are for Sphinx."""
        items = []
        for name in node.findall(nodes.field_name):
            body = name.next_node(nodes.field_body, descend=False, siblings=True)
            assert body is not None
            items.append(f"([{self.within(name)}],[{self.begun_within(body)}])")
        self.block(node, f"#definitions({','.join(items)})")
        raise nodes.SkipNode

    def visit_citation(self, node: nodes.Element) -> None:
        """Write a source or a note after its number."""
        label = node.next_node(nodes.label)
        number = content(label.astext()) if label else ""
        for found in [child for child in node if isinstance(child, nodes.label)]:
            node.remove(found)
        body = self.anchor(*node["ids"]) + self.within(node)
        self.block(node, f"#source([{number}],[{body}])")
        raise nodes.SkipNode

    visit_footnote = visit_citation


def _tight(node: nodes.Element) -> str:
    """Whether a list's items are single paragraphs."""
    return "false" if any(len(item) > 1 for item in node) else "true"  # type: ignore[arg-type]
