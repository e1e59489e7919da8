/* Reloads the page when there is a newer version of it, where the reader was; shows the
   mistakes of the last build. The preview's server adds it to the pages. */
"use strict";
(() => {
  const { page, version } = document.currentScript.dataset;
  const KEPT = `preview ${page}`;
  const AGAIN = 500;
  const BLOCKS = "p, li, dt, dd, pre, h1, h2, h3, h4, figure, table, .math-box";

  // Where the reader is: the first blocks in sight, by their text, and how far from the top
  // of the window they are.
  const main = document.querySelector("[role='main'], main") ?? document.body;
  const blocks = () => [...main.querySelectorAll(BLOCKS)];
  const named = (block) => `${block.localName} ${block.textContent.trim().slice(0, 200)}`;

  function remember() {
    const seen = blocks().filter((block) => block.getBoundingClientRect().bottom > 60);
    // If the first one is what changes, one of the next is still there.
    const marks = seen.slice(0, 12).map((block) => [named(block), block.getBoundingClientRect().top]);
    const open = [...main.querySelectorAll("details")].map((box) => box.open);
    sessionStorage.setItem(KEPT, JSON.stringify({ marks, top: scrollY, open }));
  }

  function restore() {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    sessionStorage.removeItem(KEPT);
    if (!kept) return;
    const boxes = main.querySelectorAll("details");
    if (boxes.length === kept.open.length) boxes.forEach((box, i) => (box.open = kept.open[i]));
    const place = () => {
      const now = new Map();
      for (const block of blocks()) if (!now.has(named(block))) now.set(named(block), block);
      const mark = kept.top > 0 && kept.marks.find(([name]) => now.has(name));
      const top = mark ? scrollY + now.get(mark[0]).getBoundingClientRect().top - mark[1] : kept.top;
      scrollTo({ top, behavior: "instant" });
    };
    place();
    addEventListener("load", place, { once: true }); // fonts and pictures have come
  }

  function reload() {
    remember();
    history.scrollRestoration = "manual";
    location.reload();
  }

  const box = document.createElement("aside");
  box.id = "preview-news";
  box.setAttribute("aria-label", "Preview");
  box.setAttribute("role", "status");
  box.hidden = true;

  function show({ errors, building, progress, lost }) {
    box.replaceChildren();
    const line = (tag, text) => {
      const element = document.createElement(tag);
      element.textContent = text;
      return box.appendChild(element);
    };
    if (lost) line("p", "The preview has ended.");
    else if (progress) line("p", progress);
    if (errors?.length) {
      line("p", errors.length === 1 ? "1 mistake" : `${errors.length} mistakes`).className = "preview-count";
      const list = line("ul", "");
      for (const error of errors) {
        const item = document.createElement("li");
        const [, place, what] = error.match(/^(\S+?:\d+): (.*)$/s) ?? [null, "", error];
        const where = document.createElement("code");
        where.textContent = place;
        item.append(where, place ? " " : "", what);
        list.append(item);
      }
    }
    box.classList.toggle("preview-building", Boolean(building));
    box.hidden = !box.childElementCount;
  }

  let leaving = false;
  addEventListener("pagehide", () => (leaving = true));

  function listen() {
    const socket = new WebSocket(`ws://${location.host}/_preview/news?page=${encodeURIComponent(page)}`);
    socket.onmessage = ({ data }) => {
      const news = JSON.parse(data);
      // A page without a version waits for any, or shows what the others tell.
      const newest = news.versions[page] ?? (document.body.matches(".preview-waiting") && news.versions.index) ?? 0;
      if (newest > Number(version)) reload();
      else show(news);
    };
    socket.onclose = () => {
      if (leaving) return;
      show({ lost: true });
      setTimeout(listen, AGAIN);
    };
  }

  restore();
  document.body.append(box);
  listen();
})();
