/* A cell of the page that can be edited and run. Its code is what the book shows until
   the reader changes it; a change is kept in this browser until it is reset. */

import { made } from "./made.js";
import { Outputs } from "./outputs.js";

const SECOND = 1000;

export class Cell {
  constructor(element, number, hiddenCode, page, exercise = null) {
    this.element = element;
    this.number = number;
    this.page = page;
    this.exercise = exercise;
    this.raises = element.classList.contains("tag_raises-exception");
    this.answer = element.closest("details.answer");
    this.input = element.querySelector(":scope > .cell_input");
    this.hidden = !this.input;
    const shown = this.input?.querySelector("pre").textContent.replace(/\n$/, "");
    this.original = shown ?? hiddenCode;
    this.text = this.original;
    this.ran = false;
    this.place = `live-code ${location.pathname} ${element.id}`;
    this.outputs = new Outputs(element);
    this.build();
    const kept = this.kept();
    if (kept !== null && kept !== this.original) this.receive(kept);
  }

  get name() {
    if (this.exercise) {
      const title = this.exercise.querySelector(".admonition-title").textContent;
      return title.replace(/ *\(.*/s, "").trim().toLowerCase();
    }
    return this.hidden ? `figure, cell ${this.number}` : `cell ${this.number}`;
  }

  build() {
    const button = (text, what, act) => {
      const one = made("button", { type: "button", "aria-label": `${what} ${this.name}`, title: `${what} ${this.name}` }, text);
      one.addEventListener("click", act);
      return one;
    };
    this.runButton = button("▶ Run", "Run", () => this.page.run([this]));
    this.runButton.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.shiftKey || event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.page.run([this]);
      if (event.shiftKey) this.page.after(this)?.focus();
    });
    this.resetButton = button("↺ Reset", "Reset", () => this.reset());
    this.resetButton.hidden = true;
    this.editButton = button(this.hidden ? "‹› Code" : "✎ Edit", this.hidden ? "Show the code of" : "Edit", () => this.edit());
    this.said = made("span", { class: "live-state" });
    this.tools = made(
      "div",
      { class: "live-tools d-print-none", role: "group", "aria-label": `Run ${this.name}` },
      this.runButton,
      button("▶▶ Run above", "Run above", () => this.page.runAbove(this)),
      this.editButton,
      this.resetButton,
      this.said,
    );
    if (this.input) {
      this.input.after(this.tools);
      this.input.addEventListener("click", (event) => {
        if (!this.editor && getSelection().isCollapsed) this.edit(event);
      });
    } else {
      this.element.append(this.tools);
    }
  }

  /* ------------------------------------------------------------------------ code */

  kept() {
    try {
      return JSON.parse(localStorage.getItem(this.place))?.code ?? null;
    } catch {
      return null;
    }
  }

  /* The reader has typed. */
  change(text) {
    this.text = text;
    const edited = text !== this.original;
    this.resetButton.hidden = !edited;
    this.element.classList.toggle("live-edited", edited);
    try {
      if (edited) localStorage.setItem(this.place, JSON.stringify({ code: text, of: this.original }));
      else localStorage.removeItem(this.place);
    } catch {
      this.page.say("This browser keeps nothing: your changes are gone when you leave this page.");
    }
  }

  /* The same cell was changed in another tab, or before the page was loaded. */
  async receive(text) {
    if (text === this.text) return;
    this.change(text);
    await this.open();
    this.editor.set(text);
  }

  reset() {
    this.change(this.original);
    this.editor?.set(this.original);
    this.outputs.reset();
    this.tell("");
    this.page.say(`The code of ${this.name} is the book's again.`);
    this.runButton.focus();
  }

  async open() {
    const { openEditor } = await loadEditor(this.page.client);
    if (this.editor) return;
    if (!this.input) {
      this.input = made("div", { class: "cell_input docutils container" });
      this.element.prepend(this.input);
    }
    const holder = made("div", { class: "live-editor" });
    this.input.append(holder);
    this.element.classList.add("live-open");
    this.editor = openEditor(holder, {
      text: this.text,
      label: `Code of ${this.name}`,
      change: (text) => this.change(text),
      run: (on) => {
        this.page.run([this]);
        if (on) this.page.after(this)?.focus();
      },
      leave: () => this.runButton.focus(),
      complete: (code, position) => this.page.kernel.complete(code, position),
    });
  }

  /* Open the editor, at the place that was clicked if one was. */
  async edit(event) {
    try {
      await this.open();
    } catch {
      this.page.say("The editor cannot be loaded; is the server still there?");
      return;
    }
    this.editor.focus(event && { x: event.clientX, y: event.clientY });
  }

  focus() {
    const view = this.editor ?? this.runButton;
    view.focus();
    this.element.scrollIntoView({ block: "nearest" });
  }

  /* ------------------------------------------------------------------------ runs */

  tell(text, kind = "") {
    this.said.textContent = text;
    this.element.dataset.live = kind;
  }

  async run(kernel) {
    const start = performance.now();
    const seconds = () => ((performance.now() - start) / SECOND).toFixed(performance.now() - start < 10 * SECOND ? 2 : 0);
    this.tell("running", "busy");
    const clock = setInterval(() => this.tell(`running, ${Math.round(seconds())} s`, "busy"), SECOND);
    this.outputs.error = null;
    this.outputs.begin();
    let status = "none";
    try {
      status = await kernel.run(this.text, (type, content) => this.outputs.add(type, content));
    } finally {
      clearInterval(clock);
      if (status === "none") this.outputs.area.classList.remove("live-stale");
      else this.outputs.finish();
      this.ran = status === "ok" || status === "error";
      const words = { ok: "ran", error: "stopped with an error after", dead: "the kernel ended after" };
      this.tell(words[status] ? `${words[status]}${status === "ok" ? " in" : ""} ${seconds()} s` : "", status);
    }
    return status;
  }
}

/* The editor comes when it is needed for the first time. */
let loading = null;
function loadEditor(client) {
  loading ??= new Promise((resolve, reject) => {
    const script = made("script", { src: `${client}editor.js` });
    script.addEventListener("load", () => resolve(globalThis.liveEditor));
    script.addEventListener("error", () => {
      loading = null;
      script.remove();
      reject(new Error("the editor cannot be loaded"));
    });
    document.head.append(script);
  });
  return loading;
}
