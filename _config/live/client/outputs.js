/* What a cell gives, where the page shows what it gave when the book was built. */

import { made } from "./made.js";

const MOST = 40_000; // characters of text; the end of a long text is shown as well
const END = 2_000;
const ANSI = /\x1b\[[0-9;?]*[A-Za-z]/g;
const PICTURES = { "image/svg+xml": "svg+xml;charset=utf-8,", "image/png": "png;base64,", "image/jpeg": "jpeg;base64," };

/* Scripts of figures, as the build loads them on pages that have such figures. */
const SCRIPTS = { "computation-graph": "figures.js", "descent-explorer": "explorers.js" };

export class Outputs {
  constructor(cell) {
    let area = cell.querySelector(":scope > .cell_output");
    if (!area) {
      area = made("div", { class: "cell_output docutils container" });
      cell.append(area);
    }
    // The caption of a figure stays; what is above it changes.
    const figure = area.querySelector(":scope > figure");
    this.slot = made("div", { class: "live-outputs" });
    const old = [...(figure ?? area).childNodes].filter((node) => node.localName !== "figcaption");
    this.book = made("div", { class: "live-book" });
    (figure ?? area).prepend(this.book, this.slot);
    this.book.append(...old);
    this.area = area;
    this.reset();
  }

  /* What the book shows. */
  reset() {
    this.slot.replaceChildren();
    this.slot.hidden = true;
    this.book.hidden = false;
    this.area.classList.remove("live-stale");
  }

  /* A run begins: what is there is of the last one, until something comes. */
  begin() {
    this.fresh = true;
    this.stream = null;
    this.count = 0;
    this.area.classList.add("live-stale");
  }

  /* A run has ended; it may have given nothing. */
  finish() {
    this.open();
    this.stream = null;
  }

  open() {
    if (!this.fresh) return;
    this.fresh = false;
    this.slot.replaceChildren();
    this.slot.hidden = false;
    this.book.hidden = true;
    this.area.classList.remove("live-stale");
  }

  add(type, content) {
    if (type === "execute_input") {
      this.count = content.execution_count;
      return;
    }
    if (type === "clear_output") {
      if (content.wait) this.fresh = true;
      else this.slot.replaceChildren();
      this.stream = null;
      return;
    }
    if (!["stream", "execute_result", "display_data", "error"].includes(type)) return;
    this.open();
    if (type === "stream") return this.write(content);
    this.stream = null;
    if (type === "error") this.fail(content);
    else this.show(content.data);
  }

  /* Texts come in pieces; they are put on the page once for each frame. */
  write({ name, text }) {
    if (this.stream?.name !== name) {
      const pre = made("pre");
      const box = made("div", { class: `output stream ${name}` }, made("div", { class: "highlight" }, pre));
      this.slot.append(box);
      this.stream = new Text(name, pre);
    }
    this.stream.add(text.replace(ANSI, ""));
  }

  show(data) {
    const text = data["text/plain"] ?? "";
    if (data["text/html"]) return this.html(data["text/html"]);
    for (const [kind, start] of Object.entries(PICTURES)) {
      if (!data[kind]) continue;
      const coded = kind === "image/svg+xml" ? encodeURIComponent(data[kind]) : data[kind].trim();
      // A figure of matplotlib says nothing of itself but its size.
      const alt = text.startsWith("<") ? "Picture that this cell has drawn" : text;
      const image = made("img", { src: `data:image/${start}${coded}`, alt });
      this.slot.append(made("div", { class: "output live-picture" }, image));
      return;
    }
    this.slot.append(box("text_plain", cut(text)));
  }

  /* The page's policy lets no markup style itself; scripts may, so it is done here. */
  html(markup) {
    const holder = made("div", { class: "output text_html" });
    holder.innerHTML = markup.replace(/(<[a-zA-Z][^<>]*?\s)style="/g, '$1data-style="');
    for (const element of holder.querySelectorAll("[data-style]")) {
      element.style.cssText = element.dataset.style;
    }
    for (const table of holder.querySelectorAll(":scope table")) table.classList.add("table");
    for (const [element, script] of Object.entries(SCRIPTS)) {
      const root = document.documentElement.dataset.content_root ?? "";
      if (holder.querySelector(element) && !customElements.get(element)) {
        document.head.append(made("script", { src: `${root}_static/${script}` }));
      }
    }
    this.slot.append(holder);
  }

  fail({ ename, evalue, traceback }) {
    const text = traceback.join("\n").replace(ANSI, "");
    const places = [...text.matchAll(/Cell In\[(\d+)\], line (\d+)/g)];
    const line = places.filter(([, count]) => Number(count) === this.count).at(-1)?.[2];
    const first = made("pre", {}, made("strong", {}, ename), evalue ? `: ${cut(evalue)}` : "");
    const where = line ? made("p", {}, `in line ${line} of this cell`) : "";
    const folded = made(
      "details",
      { class: "folded" },
      made("summary", {}, "Traceback"),
      made("div", { class: "highlight" }, made("pre", {}, cut(text))),
    );
    const error = made("div", { class: "output traceback live-error" }, first, where, folded);
    this.slot.append(error);
    reach(error);
    this.error = ename;
  }
}

/* A long text: its beginning, how much was left out, and its end. */
function cut(text, before = 0) {
  if (text.length <= MOST + END) return text;
  const left = before + text.length - MOST - END;
  return `${text.slice(0, MOST)}\n… ${left.toLocaleString("en")} characters left out …\n${text.slice(-END)}`;
}

class Text {
  constructor(name, pre) {
    this.name = name;
    this.pre = pre;
    this.text = "";
    this.left = 0; // characters that are not kept any more
  }

  add(text) {
    // A carriage return begins the line anew, as progress bars do.
    const joined = (this.text + text).replace(/\r\n/g, "\n");
    this.text = joined.includes("\r") ? joined.replace(/[^\n]*\r(?=[^\n])/g, "") : joined;
    if (this.text.length > 2 * (MOST + END)) {
      // Kept as if it had been cut already, so that a flood fills no memory.
      const kept = this.text.slice(-END);
      this.left += this.text.length - MOST - END;
      this.text = this.text.slice(0, MOST) + kept;
    }
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      this.draw();
    });
  }

  draw() {
    let text = this.text;
    if (this.left) {
      const left = this.left + Math.max(0, text.length - MOST - END);
      text = `${text.slice(0, MOST)}\n… ${left.toLocaleString("en")} characters left out …\n${text.slice(-END)}`;
    } else {
      text = cut(text);
    }
    this.pre.textContent = text;
    reach(this.pre.parentElement.parentElement);
  }
}

function box(kind, text) {
  const element = made("div", { class: `output ${kind}` }, made("div", { class: "highlight" }, made("pre", {}, text)));
  requestAnimationFrame(() => reach(element));
  return element;
}

/* What scrolls is reached by the Tab key. */
export function reach(element, what = "Output") {
  for (const pre of element.querySelectorAll("pre")) {
    const scrolls = pre.scrollWidth > pre.clientWidth + 1 || pre.scrollHeight > pre.clientHeight + 1;
    if (!scrolls) continue;
    pre.tabIndex = 0;
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", `${what}, scrolls`);
  }
}
