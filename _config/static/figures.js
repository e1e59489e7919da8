/* Step through the record of a run: values vertex by vertex, then gradients in the order
   in which autograd completed them. The complete drawing is on the page already; the
   element's JSON says which part belongs to which step, and what to say of it. */
"use strict";
(() => {
  const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

  function made(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /* How many entries of an answer are those of the gradient, to three digits. */
  function agreeing(text, answer) {
    const found = text.replaceAll("−", "-").match(/nan|-?\d*\.?\d+(?:e-?\d+)?/gi) ?? [];
    if (found.length !== answer.length) return -1;
    return answer.filter((wanted, place) =>
      typeof wanted === "string"
        ? found[place].toLowerCase() === wanted
        : Math.abs(Number(found[place]) - wanted) <= 0.005 * Math.abs(wanted) + 1e-9,
    ).length;
  }
  globalThis.figureNumbers = { agreeing };
  if (!globalThis.customElements) return;

  class ComputationGraph extends HTMLElement {
    connectedCallback() {
      if (this.steps) return;
      this.steps = JSON.parse(this.querySelector("script").textContent).steps;
      this.last = this.steps.length - 1;
      this.asking = false;
      this.build();
      this.show(this.last);
      // The reader finds the complete drawing, with nothing pointed out.
      for (const part of this.querySelectorAll(".arrives")) part.classList.remove("arrives");
      this.said.textContent = "The complete run. Step back, or go through it from the start.";
    }

    build() {
      const button = (sign, name, go) => {
        const made_ = made("button", { type: "button", "aria-label": name, title: name }, sign);
        made_.addEventListener("click", go);
        return made_;
      };
      this.slider = made("input", { type: "range", min: 0, max: this.last, step: 1, "aria-label": "Step of the run" });
      this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
      this.predict = made("input", { type: "checkbox" });
      this.predict.addEventListener("change", () => this.show(this.at));
      this.back = button("◀", "One step back", () => this.go(this.at - 1));
      this.next = button("▶", "One step on", () => this.go(this.asking ? this.at : this.at + 1));
      const player = made(
        "div",
        { class: "player", role: "group", "aria-label": "Step through this run" },
        button("|◀", "To the start", () => this.show(0)),
        this.back,
        this.slider,
        this.next,
        button("▶|", "To the end", () => this.show(this.last)),
        made("label", {}, this.predict, " predict each gradient"),
      );
      // The slider has its own arrow keys.
      player.addEventListener("keydown", (event) => {
        if (event.target === this.slider || !(event.key in KEYS)) return;
        event.preventDefault();
        this.go(this.asking && KEYS[event.key] > 0 ? this.at : this.at + KEYS[event.key]);
      });
      this.said = made("p", { class: "said", "aria-live": "polite" });
      this.guess = made("input", { type: "text", autocomplete: "off", "aria-label": "Your gradient" });
      this.form = made(
        "form",
        { class: "guess" },
        this.guess,
        made("button", { type: "submit" }, "Check"),
        button("Reveal", "Reveal the gradient", () => this.show(this.at)),
      );
      this.form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.check();
      });
      this.append(player, this.said, this.form);
    }

    /* Move to a step; on the way to the next gradient the reader may be asked for it. */
    go(step) {
      step = Math.max(0, Math.min(this.last, step));
      const asks = this.predict.checked && this.steps[step].ask && step === this.at + 1;
      this.show(step, asks && !this.asking);
      if (this.asking) this.guess.focus({ preventScroll: true });
    }

    show(step, asking = false) {
      const focused = this.form.contains(document.activeElement);
      const { vertices, edges, kind, say, ask } = this.steps[step];
      this.at = step;
      this.asking = asking;
      const when = { value: {}, gradient: {} };
      this.steps.forEach((one, place) => {
        const part = one.kind === "gradient" ? "gradient" : "value";
        for (const vertex of one.vertices) when[part][vertex] = place;
      });
      const done = asking ? step - 1 : step;
      for (const vertex of this.querySelectorAll(".vertex")) {
        const number = Number(vertex.dataset.vertex);
        for (const part of ["value", "gradient"]) {
          const place = when[part][number] ?? this.last;
          vertex.querySelector(`.${part}`)?.classList.toggle("later", place > done);
        }
        const here = vertices.includes(number) && step > 0;
        vertex.classList.toggle("now", here && kind === "value");
        vertex.classList.toggle("arrives", here && kind === "gradient");
      }
      for (const edge of this.querySelectorAll(".edge")) {
        const here = edges.includes(Number(edge.dataset.edge));
        edge.classList.toggle("now", here && kind === "value");
        edge.classList.toggle("arrives", here && kind === "gradient");
      }
      this.said.textContent = asking ? ask : say;
      this.form.hidden = !asking;
      if (asking) this.guess.value = "";
      this.slider.value = step;
      this.slider.setAttribute("aria-valuetext", `${step + 1} of ${this.last + 1}`);
      this.back.disabled = step === 0;
      this.next.disabled = step === this.last && !asking;
      if (focused && !asking) this.next.disabled ? this.slider.focus() : this.next.focus();
    }

    check() {
      const { answer, say } = this.steps[this.at];
      const right = agreeing(this.guess.value, answer);
      if (right === answer.length) {
        this.show(this.at);
        this.said.textContent = `Right. ${say}`;
      } else if (right < 0) {
        const entries = answer.length === 1 ? "one number" : `${answer.length} numbers`;
        this.said.textContent = `The answer has ${entries}, such as 1.5. Try again, or reveal it.`;
      } else {
        this.said.textContent = `${right} of ${answer.length} right. Try again, or reveal it.`;
      }
    }
  }
  customElements.define("computation-graph", ComputationGraph);
})();
