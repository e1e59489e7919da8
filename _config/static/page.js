/* What a page does beyond the browser: boxes that scroll can be scrolled by keyboard,
   the contents show where one is, Ctrl+K searches. Without it a page can be read. */
"use strict";
(() => {
  const BOXES =
    ".math-box, .math-long, .highlight pre, .output pre, figure, .pst-scrollable-table-container";

  // A box is in the order of the Tab key only while something of it is out of sight.
  function reach(box) {
    const scrolls = box.scrollWidth > box.clientWidth + 1;
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    if (!scrolls || box.localName === "figure" || box.hasAttribute("role")) return;
    box.setAttribute("role", "group");
    const kind = box.localName === "pre" ? "Code" : box.querySelector("table") ? "Table" : "Formula";
    box.setAttribute("aria-label", `${kind}, scrolls sideways`);
  }

  const sizes = new ResizeObserver((entries) => {
    for (const entry of entries) reach(entry.target);
  });
  for (const box of document.querySelectorAll(BOXES)) sizes.observe(box);

  // The entry of the heading that was scrolled past last.
  const nav = document.getElementById("page-nav");
  const entries = new Map();
  for (const link of nav?.querySelectorAll("a[href^='#']") ?? []) {
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (target) entries.set(target, link);
  }
  let current = null;
  function mark() {
    let found = null;
    for (const [target, link] of entries) {
      if (target.getBoundingClientRect().top > innerHeight / 4) break;
      found = link;
    }
    if (found === current) return;
    current?.classList.remove("active");
    current?.removeAttribute("aria-current");
    found?.classList.add("active");
    found?.setAttribute("aria-current", "location");
    current = found;
  }
  if (entries.size) {
    mark();
    addEventListener("scroll", mark, { passive: true });
    nav.addEventListener("click", (event) => {
      if (event.target.closest("a") && nav.matches(":popover-open")) nav.hidePopover();
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "k" || !(event.ctrlKey || event.metaKey)) return;
    const book = document.getElementById("book-nav");
    const field = document.getElementById("search-book");
    if (!book || !field) return;
    event.preventDefault();
    if (!field.checkVisibility()) book.showPopover();
    field.focus();
  });
})();
