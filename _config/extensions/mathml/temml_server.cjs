// One formula to a line, as JSON, from standard input to standard output:
//
//   {"latex": "x \\in \\R", "display": false, "wrap": "none", "macros": {"\\R": "\\mathbb{R}"}}
//   {"mathml": "<math>…</math>"}
//
// or {"error": "Unsupported function name: \\foo …"}. Started by convert.py with the path
// of Temml as its only argument; it ends when its standard input does.
//
// The macros come with each formula because Temml keeps a formula's own \gdef in them:
// so no formula can change another.
const readline = require("node:readline")
const temml = require(process.argv[2])

const convert = ({ latex, display, wrap, macros }) => {
  try {
    const options = { displayMode: display, wrap, macros, throwOnError: true }
    return { mathml: temml.renderToString(latex, options) }
  } catch (error) {
    return { error: error.message }
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(convert(JSON.parse(line))) + "\n")
})
