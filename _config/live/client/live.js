/* The page made live: one quiet button, and after a click on it each cell can be edited
   and run by a kernel of the reader's own machine. */

import { Cell } from "./cells.js";
import { Kernel, Refusal } from "./kernel.js";
import { made } from "./made.js";
import { reach } from "./outputs.js";

const CLIENT = document.currentScript.src.replace(/[^/]*$/, "");
const PAUSE = 1500; // between two attempts to stop what runs

class LivePage {
  constructor() {
    this.client = CLIENT;
    this.cells = [];
    this.queue = [];
    const page = location.pathname.split("/").at(-1).replace(/\.html$/, "") || "index";
    this.kernel = new Kernel(CLIENT.replace(/client\/$/, ""), page, (state) => this.became(state));
    this.start = made("button", { type: "button", class: "live-start" }, "▶ Run this page");
    this.start.addEventListener("click", () => this.begin());
    this.said = made("output", { class: "live-said", "aria-live": "polite" });
    this.bar = made("div", { class: "live-bar", role: "group", "aria-label": "Run the code of this page" }, this.start, this.said);
    const colours = document.getElementById("colours");
    colours.before(this.bar);
    // After a reload the kernel is still there.
    if (sessionStorage.getItem(this.kernel.place)) this.begin();
  }

  say(text) {
    this.said.textContent = text;
    this.said.title = text;
  }

  async begin() {
    this.start.disabled = true;
    this.say("Starting …");
    try {
      const hidden = await this.kernel.learn();
      this.build(hidden);
      await this.kernel.ready();
      await this.addExercises();
    } catch (error) {
      this.refused(error);
      this.start.disabled = false;
    }
  }

  build(hidden) {
    if (this.cells.length) return;
    const button = (sign, text, name, act) => {
      const word = made("span", { class: "live-word" }, ` ${text}`);
      const one = made("button", { type: "button", "aria-label": name, title: name }, sign, word);
      one.addEventListener("click", act);
      return one;
    };
    this.runAll = button("▶▶", "Run all", "Run all cells of this page", () => this.run(this.above(null)));
    this.stop = button("■", "Stop", "Stop what runs", () => this.interrupt());
    this.again = button("↻", "Restart", "Restart: a fresh kernel for this page", () => this.restart());
    this.stop.disabled = true;
    const focused = document.activeElement === this.start;
    this.start.replaceWith(this.runAll, this.stop, this.again);
    if (focused) this.runAll.focus();
    document.querySelectorAll("main div.cell").forEach((element, place) => {
      if (element.querySelector(":scope > .cell_input") || element.id in hidden) {
        this.cells.push(new Cell(element, place + 1, hidden[element.id], this));
      }
    });
    document.documentElement.classList.add("live");
    addEventListener("storage", ({ key, newValue }) => {
      const cell = this.cells.find(({ place }) => place === key);
      cell?.receive(newValue ? JSON.parse(newValue).code : cell.original);
    });
  }

  /* Below each exercise to do, a cell to do it in: its stub and the call of its check. */
  async addExercises() {
    const chapter = JSON.stringify(this.kernel.page);
    const stubs = await this.kernel.value(
      `(lambda JSON, exercises: JSON({one.label: one.cell for one in exercises(${chapter})}))(` +
        `__import__("IPython.display", fromlist=["_"]).JSON, ` +
        `__import__("snippets.exercises", fromlist=["_"]).exercises)`,
    );
    for (const [label, code] of Object.entries(stubs ?? {})) {
      const exercise = document.getElementById(label);
      if (!exercise || this.cells.some(({ exercise: one }) => one === exercise)) continue;
      const input = made("div", { class: "cell_input docutils container" }, made("div", { class: "highlight" }, made("pre", {}, code)));
      const element = made("div", { class: "cell docutils container", id: `cell-${label}` }, input);
      const link = exercise.querySelector(":scope > .answer-link");
      if (link) link.before(element);
      else exercise.append(element);
      this.cells.push(new Cell(element, 0, null, this, exercise));
      reach(input, "Code");
    }
    const place = ({ element }) => element;
    this.cells.sort((a, b) => (place(a).compareDocumentPosition(place(b)) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  }

  /* ------------------------------------------------------------------------ runs */

  /* The cells before one, without those of other answers: no text needs these. */
  above(cell) {
    const end = cell ? this.cells.indexOf(cell) : this.cells.length;
    return this.cells
      .slice(0, end)
      .filter(({ answer, exercise }) => !exercise && (!answer || answer === cell?.answer));
  }

  after(cell) {
    const next = this.cells.slice(this.cells.indexOf(cell) + 1);
    return next.find(({ answer }) => !answer || answer === cell.answer || answer.open);
  }

  runAbove(cell) {
    this.run([...this.above(cell), cell]);
  }

  async run(cells) {
    for (const cell of cells) if (!this.queue.includes(cell)) cell.tell("waits", "waits");
    this.queue.push(...cells);
    if (this.running) return;
    this.running = true;
    let count = 0;
    let failed = null;
    try {
      while (this.queue.length && !failed) {
        const cell = this.queue.shift();
        this.say(`Running ${cell.name}${this.queue.length ? `; ${this.queue.length} more wait` : ""} …`);
        this.current = {};
        const status = await cell.run(this.kernel);
        this.current = null;
        count += 1;
        if (status !== "ok" && !(status === "error" && cell.raises)) failed = cell;
        if (status === "error") this.hint(cell);
        if (status === "dead") break;
      }
      if (failed?.element.dataset.live === "error") {
        this.say(`${capital(failed.name)} stopped with ${failed.outputs.error ?? "an error"}.`);
      } else if (!failed) {
        this.say(count === 1 ? "Done." : `Done: ${count} cells have run.`);
      }
    } catch (error) {
      this.refused(error);
    } finally {
      this.running = false;
      this.current = null;
      this.clear();
      if (this.kernel.state !== "lost") this.stop.disabled = true;
    }
  }

  /* A name that is missing is most often one of a cell that has not been run. */
  hint(cell) {
    if (cell.outputs.error !== "NameError" || this.above(cell).every(({ ran }) => ran)) return;
    const button = made("button", { type: "button", class: "live-hint" }, "Run the cells above, then this one");
    button.addEventListener("click", () => this.runAbove(cell));
    cell.outputs.slot.querySelector(".live-error > pre").after(button);
  }

  clear() {
    for (const cell of this.queue.splice(0)) cell.tell("");
  }

  async interrupt() {
    this.clear();
    const run = this.current;
    try {
      // A kernel that has not begun yet does not notice; so it is told more than once.
      for (let time = 0; time < 3 && run === this.current; time++) {
        await this.kernel.interrupt();
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
      if (run === this.current) this.say("It does not stop by itself. Restart ends it; your code stays.");
    } catch (error) {
      this.refused(error);
    }
  }

  async restart() {
    this.clear();
    this.say("Restarting …");
    for (const cell of this.cells) {
      cell.ran = false;
      if (cell.element.dataset.live !== "busy") cell.tell("");
    }
    try {
      await this.kernel.restart();
      this.say("A fresh kernel is ready: nothing has been run in it.");
    } catch (error) {
      this.refused(error);
    }
  }

  /* ----------------------------------------------------------------------- states */

  became(state) {
    this.bar.dataset.state = state;
    if (this.stop) this.stop.disabled = state !== "busy";
    const words = {
      idle: this.running || this.was === "busy" ? "" : this.was === "lost" ? "Connected again." : "Ready. Shift+Enter runs a cell.",
      lost: "The server does not answer. Your code is kept; trying again …",
      dead: "The kernel has ended, and what it had computed is gone. Your code is kept; the next run takes a fresh one.",
      locked: "The server asks who you are. Your code is kept: open the book anew with the server's link.",
    };
    if (words[state]) this.say(words[state]);
    if (state === "busy" && this.was === "lost") this.say("Connected again; still running …");
    if (state === "dead") for (const cell of this.cells) cell.ran = false;
    this.was = state;
  }

  refused(error) {
    if (error instanceof Refusal && error.message === "locked") this.became("locked");
    else if (error instanceof Refusal) this.say(`${capital(error.message)}.`.replace("..", "."));
    else this.say("The server does not answer. Your code is kept; start the server, then run again.");
  }
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

new LivePage();
