"""Tables."""

from __future__ import annotations

from docutils import nodes

from typst_builder.base import Translator


class TableVisitor(Translator):
    """The visitor of tables."""

    def visit_table(self, node: nodes.table) -> None:
        """Write a table: its head is repeated on each page."""
        group = node.next_node(nodes.tgroup)
        title = node.next_node(nodes.title)
        assert group is not None
        head = [cell for row in _rows(group, nodes.thead) for cell in self._cells(row)]
        body = [cell for row in _rows(group, nodes.tbody) for cell in self._cells(row)]
        caption = ""
        if title is not None and title.parent is node:
            number = self.builder.float_number(self.docname, node, "table")
            caption = f"caption:[{number}{self.within(title)}],"
        header = f"header:({','.join([*head, ''])})," if head else ""
        widths = ",".join(str(width) for width in _widths(node, group))
        code = f"#data-table(({widths},),{caption}{header}{','.join(body)})"
        self.block(node, code + self.anchor(*node["ids"]))
        raise nodes.SkipNode

    def _cells(self, row: nodes.Element) -> list[str]:
        cells = []
        for entry in row:
            assert isinstance(entry, nodes.entry)
            spans = {
                "colspan": entry.get("morecols", 0) + 1,
                "rowspan": entry.get("morerows", 0) + 1,
            }
            options = "".join(f"{name}:{n}," for name, n in spans.items() if n > 1)
            options += _alignment(entry)
            text = self.within(entry).strip()
            cells.append(f"table.cell({options}[{text}])" if options else f"[{text}]")
        return cells


def _rows(group: nodes.Element, kind: type[nodes.Element]) -> list[nodes.Element]:
    return [row for part in group.findall(kind) for row in part.findall(nodes.row)]


def _widths(node: nodes.table, group: nodes.Element) -> list[str]:
    """Column widths: as written, or as the contents need them."""
    columns = list(group.findall(nodes.colspec))
    if "colwidths-given" in node["classes"]:
        return [f"{column['colwidth']}fr" for column in columns]
    return ["auto"] * len(columns)


def _alignment(entry: nodes.entry) -> str:
    for name in entry["classes"]:
        side = name.removeprefix("text-")
        if side in {"left", "right", "center"}:
            return f"align:{side},"
    return ""
