/* Light or dark: as the reader's system is, or as the reader has chosen here. It is
   loaded before anything is drawn, so that no page flashes. */
"use strict";
(() => {
  const CHOICES = ["system", "light", "dark"];
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");

  // Where a browser keeps nothing, as some do for files, a choice lasts for a page.
  let choice = "system";
  try {
    const kept = localStorage.getItem("colours");
    if (CHOICES.includes(kept)) choice = kept;
  } catch {}

  function show() {
    const dark = choice === "dark" || (choice === "system" && system.matches);
    root.dataset.theme = dark && !paper.matches ? "dark" : "light";
    const button = document.getElementById("colours");
    if (!button) return;
    const said = choice === "system" ? "as the system" : choice;
    button.setAttribute("aria-label", `Colours: ${said}. Change`);
    button.title = `Colours: ${said}`;
    button.hidden = false;
  }

  function change() {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    try {
      localStorage.setItem("colours", choice);
    } catch {}
    show();
  }

  show();
  system.addEventListener("change", show);
  paper.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("colours")?.addEventListener("click", change);
  });
})();
