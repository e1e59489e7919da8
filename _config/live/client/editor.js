/* The editor of a cell: CodeMirror, in a shadow tree, where its styles are objects and no
   markup, as the page's policy asks for. */

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/* The colours of the page's own code, light or dark; see live.css. */
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.bool, tags.null, tags.modifier], color: "var(--live-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--live-string)" },
  { tag: [tags.number], color: "var(--live-number)" },
  { tag: [tags.comment], color: "var(--live-comment)" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], color: "var(--live-name)" },
]);

const look = EditorView.theme({
  "&": { color: "inherit", fontSize: "inherit", background: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "inherit", lineHeight: "inherit" },
  ".cm-content": { padding: "0", caretColor: "currentColor" },
  ".cm-line": { padding: "0" },
  ".cm-cursor": { borderLeftColor: "currentColor", borderLeftWidth: "2px" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { background: "var(--live-selection)" },
  "&.cm-focused .cm-matchingBracket": { background: "var(--live-selection)" },
  ".cm-tooltip": { background: "var(--pst-color-surface)", color: "var(--pst-color-text-base)", border: "1px solid var(--pst-color-border)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--pst-color-primary)", color: "var(--pst-color-background)" },
});

/* Names that the kernel knows: in a text the places are counted in code points. */
const names = (complete) => async (context) => {
  const code = context.state.doc.toString();
  const points = (text) => [...text].length;
  if (!context.explicit && !context.matchBefore(/\.\w*$/)) return null;
  const reply = await complete(code, points(code.slice(0, context.pos)));
  if (!reply?.matches?.length) return null;
  const from = [...code].slice(0, reply.cursor_start).join("").length;
  return { from, options: reply.matches.map((label) => ({ label })), validFor: /^[\w.]*$/ };
};

/* Tab indents at the start of a line, and completes after a word, as in Jupyter. */
function tab(view) {
  const { state } = view;
  const { main } = state.selection;
  const line = state.doc.lineAt(main.head);
  const before = state.sliceDoc(line.from, main.head);
  return main.empty && /[\w.]$/.test(before) ? startCompletion(view) : indentMore(view);
}

/* Typed over a selection, text would come with a style of the browser's own making, which
   the page's policy refuses. So it is put in place here, as CodeMirror does after it. */
const typedOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { main } = view.state.selection;
    if (event.inputType !== "insertText" || !event.data || main.empty || view.composing) return false;
    event.preventDefault();
    const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((handle) => handle(view, main.from, main.to, event.data, insert))) view.dispatch(insert());
    return true;
  },
});

export function openEditor(holder, { text, label, change, run, leave, complete }) {
  const root = holder.attachShadow({ mode: "open" });
  let quiet = false;
  const runs = (on) => () => {
    run(on);
    return true;
  };
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([
          { key: "Shift-Enter", run: runs(true) },
          { key: "Mod-Enter", run: runs(false) },
          { key: "Ctrl-Enter", run: runs(false) },
          ...closeBracketsKeymap,
          ...completionKeymap,
          { key: "Escape", run: () => leave() ?? true },
          { key: "Tab", run: tab, shift: indentLess },
          ...defaultKeymap,
          ...historyKeymap,
        ]),
        history(),
        drawSelection(),
        indentUnit.of("    "),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        pythonLanguage,
        autocompletion({ override: [names(complete)], icons: false }),
        syntaxHighlighting(colours),
        look,
        typedOver,
        EditorView.contentAttributes.of({
          "aria-label": label,
          "aria-description": "Shift+Enter runs, Escape leaves the editor",
          autocapitalize: "off",
          spellcheck: "false",
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !quiet) change(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    focus(point) {
      view.focus();
      const place = point && view.posAtCoords(point);
      if (place != null) view.dispatch({ selection: { anchor: place } });
    },
    set(code) {
      const old = view.state.doc.toString();
      if (code === old) return;
      // Only what differs, so that the place of the cursor stays.
      let [start, end] = [0, 0];
      const most = Math.min(code.length, old.length);
      while (start < most && code[start] === old[start]) start++;
      while (end < most - start && code.at(-1 - end) === old.at(-1 - end)) end++;
      quiet = true;
      view.dispatch({ changes: { from: start, to: old.length - end, insert: code.slice(start, code.length - end) } });
      quiet = false;
    },
  };
}

globalThis.liveEditor = { openEditor };
