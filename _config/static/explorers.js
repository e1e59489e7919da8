/* Plots to play with. Each is a picture of a real run; a script draws the same for the
   reader's own values. What it computes is tested against torch (explorerNumbers). */
"use strict";
(() => {
  /* Mean squared error of the weights on some rows, and its gradient. */
  const residuals = (w, { X, y }, rows) =>
    rows.map((i) => X[i].reduce((sum, x, j) => sum + x * w[j], -y[i]));
  const everyRow = ({ y }) => y.map((_, i) => i);
  const meanSquare = (w, data, rows = everyRow(data)) =>
    residuals(w, data, rows).reduce((sum, r) => sum + r * r, 0) / rows.length;
  const gradient = (w, data, rows = everyRow(data)) => {
    const r = residuals(w, data, rows);
    return w.map((_, j) => rows.reduce((sum, i, k) => sum + (2 / rows.length) * r[k] * data.X[i][j], 0));
  };

  /* All iterates from data.start; step t uses the rows order[t], or all of them. */
  function descend(data, rate, steps, order = null) {
    const path = [data.start];
    for (let t = 0; t < steps; t++) {
      const w = path[t];
      const g = gradient(w, data, order?.[t]);
      path.push(w.map((one, j) => one - rate * g[j]));
    }
    return path;
  }

  /* The same without zero_grad: each step uses the sum of all gradients so far. */
  function descendUncleared(data, rate, steps) {
    const path = [data.start];
    let sum = data.start.map(() => 0);
    for (let t = 0; t < steps; t++) {
      const g = gradient(path[t], data);
      sum = sum.map((one, j) => one + g[j]);
      path.push(path[t].map((one, j) => one - rate * sum[j]));
    }
    return path;
  }

  const sigmoid = (z) => (z < 0 ? Math.exp(z) / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z)));
  /* Loss and slope by the margin m of one example. */
  const LOSSES = {
    "log loss": (m) => [Math.max(0, -m) + Math.log1p(Math.exp(-Math.abs(m))), -sigmoid(-m)],
    hinge: (m) => [Math.max(0, 1 - m), m < 1 ? -1 : 0],
    "squared error of p": (m) => {
      const p = sigmoid(m);
      return [(1 - p) ** 2, -2 * (1 - p) ** 2 * p];
    },
    "wrong decision": (m) => [m > 0 ? 0 : 1, 0],
  };

  function softmax(scores) {
    const top = Math.max(...scores);
    const powers = scores.map((s) => Math.exp(s - top));
    const total = powers.reduce((sum, one) => sum + one, 0);
    return powers.map((one) => one / total);
  }
  /* The log loss of a class, without the logarithm of a rounded 0. */
  function crossEntropy(scores, label) {
    const top = Math.max(...scores);
    const total = scores.reduce((sum, s) => sum + Math.exp(s - top), 0);
    return Math.log(total) - (scores[label] - top);
  }
  globalThis.explorerNumbers = { meanSquare, gradient, descend, descendUncleared, LOSSES, softmax, crossEntropy };
  if (!globalThis.customElements) return;

  const INKS = ["#0067a5", "#00735a", "#b34700", "#52606d"];
  const shown = (value, digits = 3) => {
    const text = Math.abs(value) >= 1e5 ? value.toExponential(1) : Number(value.toPrecision(digits)).toString();
    return text.replace("-", "−").replace("e+", "e");
  };

  function drawn(tag, attributes, text = "") {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  }

  /* A plot with sliders below it. A kind of explorer says what they are and draws. */
  class Explorer extends HTMLElement {
    connectedCallback() {
      if (this.data) return;
      this.data = JSON.parse(this.querySelector("script").textContent);
      this.controls = document.createElement("div");
      this.controls.className = "controls";
      this.said = document.createElement("output");
      this.said.className = "said";
      this.values = {};
      this.plots = this.data.scales.map((scale) => this.plot(scale));
      this.build();
      this.append(this.controls, this.said);
      this.classList.add("live");
      this.draw();
    }

    /* A window onto one pair of axes: what leaves them is not seen. */
    plot({ x, y }) {
      const [left, right, top, bottom] = [x[1], x[3], y[3], y[1]];
      const pane = drawn("svg", {
        x: left, y: top, width: right - left, height: bottom - top,
        viewBox: `${left} ${top} ${right - left} ${bottom - top}`,
      });
      this.querySelector("svg").append(pane);
      const linear = ([a, pixelA, b, pixelB]) => (value) => {
        const pixel = pixelA + ((value - a) / (b - a)) * (pixelB - pixelA);
        // Far outside, a browser's own numbers would run over.
        return Math.max(-1e4, Math.min(1e4, pixel)).toFixed(2);
      };
      return { pane, x: linear(x), y: linear(y) };
    }

    slider(name, label, options) {
      const input = document.createElement("input");
      Object.entries({ type: "range", ...options }).forEach(([key, value]) => input.setAttribute(key, value));
      const value = document.createElement("b");
      const line = document.createElement("label");
      line.append(`${label} = `, value, input);
      this.controls.append(line);
      const read = () => {
        this.values[name] = Number(input.value);
        value.textContent = shown(this.values[name]);
        input.setAttribute("aria-valuetext", value.textContent);
      };
      read();
      input.addEventListener("input", () => {
        read();
        this.draw();
      });
    }

    choice(name, label, options) {
      const select = document.createElement("select");
      for (const [value, text] of Object.entries(options)) select.append(new Option(text, value));
      const line = document.createElement("label");
      line.append(`${label} `, select);
      this.controls.append(line);
      this.values[name] = select.value;
      select.addEventListener("change", () => {
        this.values[name] = select.value;
        this.draw();
      });
    }

    line({ pane, x, y }, points, ink, dots = false) {
      const places = points.map(([a, b]) => `${x(a)},${y(b)}`);
      pane.append(drawn("polyline", { points: places.join(" "), fill: "none", stroke: ink, "stroke-width": 1.6 }));
      if (dots) for (const place of places) {
        const [cx, cy] = place.split(",");
        pane.append(drawn("circle", { cx, cy, r: 2.4, fill: ink }));
      }
    }

    draw() {
      for (const { pane } of this.plots) pane.replaceChildren();
      this.said.textContent = this.say(this.values, this.plots);
    }
  }

  class DescentExplorer extends Explorer {
    build() {
      this.slider("rate", "step size η", { min: 0.01, max: 0.45, step: 0.01, value: this.data.rate });
      this.choice("batch", "each gradient from", { all: "all examples", one: "one example" });
    }

    say({ rate, batch }, [plot]) {
      const { steps, order, bound } = this.data;
      const path = descend(this.data, rate, steps, batch === "one" ? order : null);
      this.line(plot, path, INKS[2], true);
      const side = rate < bound ? "below" : rate > bound ? "past" : "at";
      const loss = shown(meanSquare(path[steps], this.data));
      return `η = ${shown(rate)} is ${side} the edge 2/λmax = ${shown(bound)}. After ${steps} steps the loss is ${loss}.`;
    }
  }

  class MarginExplorer extends Explorer {
    build() {
      this.slider("margin", "margin m", { min: -4, max: 4, step: 0.1, value: -1 });
    }

    say({ margin }, [plot]) {
      const [low, high] = [this.data.scales[0].y[0], this.data.scales[0].y[2]];
      this.line(plot, [[margin, low], [margin, high]], "#7b8794");
      const parts = Object.entries(LOSSES).map(([name, loss], place) => {
        const [value, slope] = loss(margin);
        plot.pane.append(drawn("circle", { cx: plot.x(margin), cy: plot.y(value), r: 4, fill: INKS[place] }));
        return `${name} ${shown(value)}, slope ${shown(slope)}`;
      });
      return `At m = ${shown(margin)}: ${parts.join("; ")}.`;
    }
  }

  class SoftmaxExplorer extends Explorer {
    build() {
      this.slider("shift", "add c", { min: -3, max: 3, step: 0.5, value: 0 });
      this.slider("temperature", "temperature T", { min: 0.2, max: 4, step: 0.2, value: 1 });
      const names = this.data.scores.map((_, j) => [j, `y = ${j}`]);
      this.choice("label", "label", Object.fromEntries(names));
    }

    say({ shift, temperature, label }, plots) {
      const scores = this.data.scores.map((s) => (s + shift) / temperature);
      const p = softmax(scores);
      [scores, p].forEach((heights, side) =>
        heights.forEach((height, j) => {
          const { pane, x, y } = plots[side];
          const [zero, top] = [Number(y(0)), Number(y(height))];
          pane.append(drawn("rect", {
            x: x(j - 0.35), width: x(0.35) - x(-0.35),
            y: Math.min(zero, top), height: Math.abs(zero - top), fill: INKS[side ? 2 : 0],
          }));
        }),
      );
      const loss = shown(crossEntropy(scores, Number(label)));
      return `Scores (s + c) / T = (${scores.map((s) => shown(s)).join(", ")}); p = (${p.map((one) => shown(one)).join(", ")}); the loss for y = ${label} is ${loss}.`;
    }
  }

  class ClearingExplorer extends Explorer {
    build() {
      this.slider("rate", "step size η", { min: 0.01, max: 0.39, step: 0.01, value: this.data.rate });
    }

    say({ rate }, [plot]) {
      const { steps, minimum } = this.data;
      const excess = (path) => path.map((w, t) => [t, meanSquare(w, this.data) - minimum]);
      const cleared = excess(descend(this.data, rate, steps));
      const uncleared = excess(descendUncleared(this.data, rate, steps));
      this.line(plot, uncleared, INKS[2]);
      this.line(plot, cleared, INKS[0]);
      return `η = ${shown(rate)}. After ${steps} steps the loss is above its minimum by ${shown(cleared[steps][1])} with zero_grad, by ${shown(uncleared[steps][1])} without.`;
    }
  }

  customElements.define("descent-explorer", DescentExplorer);
  customElements.define("margin-explorer", MarginExplorer);
  customElements.define("softmax-explorer", SoftmaxExplorer);
  customElements.define("clearing-explorer", ClearingExplorer);
})();
