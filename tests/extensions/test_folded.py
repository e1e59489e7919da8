"""The node of folded code; the tests of the appendices look at what builders make."""

from docutils import nodes

from folded import folded_code


def test_the_code_stands_below_its_summary() -> None:
    box = folded_code("The probe", "x = 1\n")
    summary, block = box.children
    assert isinstance(box, nodes.container)
    assert isinstance(summary, nodes.paragraph)
    assert summary.astext() == "The probe"
    assert block["language"] == "ipython3"
