"""Edit and run the code of a page, in a real browser with a real kernel."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.live import PATIENCE, RUN, RUN_ALL, Readers, live_server, reader
from tests.browser.pages import CHAPTERS
from tests.browser.test_accessibility import violations

__all__ = ["live_server", "reader"]


def test_without_a_server_there_is_nothing_of_it(visit: Visit) -> None:
    page = visit("tensors")
    assert page.get_by_role("button", name=RUN).count() == 0
    assert "live" not in {
        re.sub(r".*/|\.\w+\?.*", "", name)
        for name in page.locator("script[src]").evaluate_all(
            "all => all.map(s => s.src)"
        )
    }


def test_the_file_leads_into_the_book(reader: Readers) -> None:
    """From a file, as when the server opens it; not from an address typed in."""
    context = reader.browser.new_context()
    reader.contexts.append(context)
    page = context.new_page()
    page.goto(reader.server.door.as_uri())
    page.wait_for_url(reader.server.address)
    page.get_by_role("link", name="Tensors").first.click()
    expect(page.get_by_role("button", name=RUN)).to_be_visible()


def test_a_cell_runs_with_the_real_torch(reader: Readers) -> None:
    page = reader("tensors").start()
    page.run("imports")
    out = page.try_out("list-sum", "print(torch.arange(3.0).sum())\ntorch.__version__")
    expect(out).to_contain_text("tensor(3.)")
    expect(out).to_contain_text("2.13.0")
    expect(out.locator(".output")).to_have_count(2)


def test_run_all_gives_what_the_book_gives(reader: Readers) -> None:
    """Every output of a chapter, as text, is that of the build."""
    page = reader("linear-regression")
    shown = (
        ".cell:not(details *) .output.text_plain, .cell:not(details *) .output.stream"
    )
    book = page.page.locator(shown).all_inner_texts()
    page.start()
    page.page.get_by_role("button", name=RUN_ALL).click()
    page.says("Done")
    lived = page.page.locator(
        ".cell:not(details *) .live-outputs .text_plain,"
        ".cell:not(details *) .live-outputs .stream"
    ).all_inner_texts()
    assert len(book) > 10
    assert [text.strip() for text in lived] == [text.strip() for text in book]


def test_an_edit_is_kept_until_it_is_reset(reader: Readers) -> None:
    page = reader("tensors").start()
    original = page.code("list-sum")
    expect(page.button("list-sum", "Reset")).to_be_hidden()
    page.write("list-sum", "mine = 1")
    page.open("tensors")
    # After a reload of the tab the page is live again, with the same kernel.
    page.says("Ready")
    expect(page.cell("list-sum").locator(".cm-content")).to_have_text("mine = 1")
    page.button("list-sum", "Reset").click()
    assert page.code("list-sum") == original
    page.open("tensors")
    page.says("Ready")
    assert page.code("list-sum") == original


def test_state_is_kept_over_a_reload(reader: Readers) -> None:
    page = reader("tensors").start()
    page.try_out("list-sum", "kept = 41")
    page.open("tensors")
    page.says("Ready")
    expect(page.try_out("list-sum", "kept + 1")).to_contain_text("42")


def test_an_error_folds_its_traceback(reader: Readers) -> None:
    page = reader("tensors").start()
    out = page.try_out("list-sum", "x = 1\n\nx / 0", "error")
    expect(out.locator("pre").first).to_have_text("ZeroDivisionError: division by zero")
    expect(out).to_contain_text("in line 3 of this cell")
    traceback = out.locator("details pre")
    expect(traceback).to_be_hidden()
    out.locator("summary").press("Enter")
    expect(traceback).to_contain_text("Traceback (most recent call last)")
    page.says("stopped with ZeroDivisionError")


def test_a_cell_that_needs_others_offers_to_run_them(reader: Readers) -> None:
    page = reader("tensors").start()
    out = page.run("tensor-sum", "error").locator(".live-outputs")
    expect(out).to_contain_text("NameError")
    out.get_by_role("button", name="Run the cells above").click()
    expect(page.ends("tensor-sum").locator(".live-outputs")).to_contain_text("tensor")


def test_cells_broken_on_purpose_do_not_stop_the_page(reader: Readers) -> None:
    page = reader("tensors").start()
    page.button("numpy-shares", "Run above").click()
    page.says("Done")
    expect(page.cell("ragged")).to_have_attribute("data-live", "error")
    assert page.cell("ragged").evaluate("cell => cell.matches('.tag_raises-exception')")


def test_a_figure_runs_in_its_place_and_can_be_stepped(reader: Readers) -> None:
    page = reader("computation-graphs").start()
    figure = page.cell("figure-sum")
    page.button("figure-sum", "Run above").click()
    page.ends("figure-sum")
    drawn = figure.locator(".live-outputs svg.wide")
    expect(drawn).to_be_visible()
    expect(figure.locator("figcaption")).to_contain_text("The graph of")
    # The code is shown when it is asked for; a change of it changes the figure.
    page.button("figure-sum", "Show the code of").click()
    expect(figure.locator(".cm-content")).to_contain_text("figures.draw")
    stepped = page.page.locator(".cell:has(computation-graph)").first
    name = str(stepped.get_attribute("id")).removeprefix("cell-")
    page.button(name, "Run above").click()
    page.ends(name)
    said = stepped.locator(".live-outputs computation-graph .said")
    before = said.inner_text()
    stepped.locator(".live-outputs").get_by_role("button", name="One step back").click()
    expect(said).not_to_have_text(before)


def test_pictures_are_shown_in_place(reader: Readers) -> None:
    page = reader("tensors").start()
    code = (
        "import matplotlib.pyplot as plt\nfrom IPython.display import SVG, display\n"
        'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg" width="9" '
        'height="7" style="color:red"><rect width="9" height="7"/></svg>\'))\n'
        "plt.plot([1, 2]);"
    )
    pictures = page.try_out("list-sum", code).locator("img")
    expect(pictures).to_have_count(2)
    sizes = pictures.evaluate_all("all => all.map(img => [img.naturalWidth, img.alt])")
    assert sizes[0][0] == 9
    assert sizes[1][0] > 100
    assert all(alt for _, alt in sizes)


def test_html_is_shown_with_its_styles_and_without_its_scripts(reader: Readers) -> None:
    page = reader("tensors").start()
    code = (
        "from IPython.display import HTML\n"
        "HTML('<p style=\"width: 50px\" id=mine>a</p>'\n"
        "     '<script>document.title=1</script>')"
    )
    shown = page.try_out("list-sum", code).locator("#mine")
    assert shown.evaluate("element => element.getBoundingClientRect().width") == 50
    assert page.page.title() != "1"


def test_jupyter_s_keys(reader: Readers) -> None:
    page = reader("tensors").start()
    page.button("imports", "Run").focus()
    page.page.keyboard.press("Shift+Enter")
    page.ends("imports")
    expect(page.button("list-sum", "Run")).to_be_focused()
    page.button("list-sum", "Edit").press("Enter")
    expect(page.cell("list-sum").locator(".cm-content")).to_be_focused()
    page.page.keyboard.press("Control+a")
    page.page.keyboard.type("for i in range(2):\nprint(i")
    assert page.code("list-sum") == "for i in range(2):\n    print(i)"
    page.page.keyboard.press("Shift+Enter")
    expect(page.ends("list-sum").locator(".live-outputs")).to_contain_text("0\n1")
    expect(page.button("tensor-sum", "Run")).to_be_focused()
    # Escape leaves the editor, in which Tab indents.
    page.cell("list-sum").locator(".cm-content").focus()
    page.page.keyboard.press("Escape")
    expect(page.button("list-sum", "Run")).to_be_focused()
    page.page.keyboard.press("Tab")
    expect(page.button("list-sum", "Run above")).to_be_focused()


def test_tab_completes_what_the_kernel_knows(reader: Readers) -> None:
    page = reader("tensors").start()
    page.run("imports")
    page.write("list-sum", "torch.logsu")
    page.page.keyboard.press("Tab")
    option = page.cell("list-sum").locator(".cm-tooltip li", has_text="logsumexp")
    option.click()
    assert page.code("list-sum").startswith("torch.logsumexp")


def test_the_editor_is_loaded_with_the_first_edit(reader: Readers) -> None:
    page = reader("tensors")
    loaded: list[str] = []
    page.page.on("request", lambda request: loaded.append(request.url))
    page.start()
    page.run("imports")
    assert not any(url.endswith("editor.js") for url in loaded)
    page.write("list-sum", "1")
    assert sum(url.endswith("editor.js") for url in loaded) == 1


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_axe_finds_nothing_on_a_live_page(
    reader: Readers, width: int, dark: bool
) -> None:
    page = reader("computation-graphs", width=width, dark=dark, policy=False)
    assert violations(page.page) == []
    page.start()
    page.button("figure-sum", "Run above").click()
    page.ends("figure-sum")
    page.try_out(
        "imports", "import torch\nprint('x' * 9000)\ndef f(): 'a'  # b\n2/0", "error"
    )
    page.cell("imports").locator("summary").click()
    page.button("figure-sum", "Show the code of").click()
    expect(page.cell("figure-sum").locator(".cm-content")).to_be_focused()
    assert violations(page.page) == []
    wide = page.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_what_happens_is_told_to_a_screen_reader(reader: Readers) -> None:
    page = reader("tensors").start()
    status = page.page.get_by_role("status").and_(page.said)
    expect(status).to_have_attribute("aria-live", "polite")
    page.run("imports")
    expect(status).to_have_text("Done.", timeout=PATIENCE)
    buttons = page.cell("imports").get_by_role("button")
    names = buttons.evaluate_all("all => all.map(button => button.ariaLabel)")
    assert names == ["Run cell 1", "Run above cell 1", "Edit cell 1"]


@pytest.mark.parametrize("name", CHAPTERS)
def test_each_chapter_runs_from_top_to_bottom(reader: Readers, name: str) -> None:
    page = reader(name).start()
    page.page.get_by_role("button", name=RUN_ALL).click()
    page.says("Done|stopped")
    expect(page.said).to_contain_text("Done")


def test_an_exercise_is_done_on_the_page(reader: Readers) -> None:
    page = reader("tensors").start()
    name = "ex-tensors-one-hot"
    stub = page.cell(name)
    expect(stub).to_contain_text("def one_hot(labels, k):")
    number = page.page.locator(f"#{name} .caption-number").inner_text().strip().lower()
    stub.get_by_role("button", name=f"Run {number}", exact=True).click()
    expect(page.ends(name).locator(".live-outputs")).to_contain_text(
        "✗ tensors/one-hot"
    )
    right = (
        "import torch\nfrom snippets.exercises import check\n"
        "def one_hot(labels, k):\n    return torch.eye(k)[labels]\n"
        'check("tensors/one-hot", one_hot)'
    )
    expect(page.try_out(name, right)).to_contain_text("✓ tensors/one-hot")
    # It is the reader's own: neither run with the page, nor lost.
    page.page.get_by_role("button", name=RUN_ALL).click()
    page.says("Done: ")
    page.open("tensors")
    expect(stub.locator(".cm-content")).to_contain_text("torch.eye(k)")
