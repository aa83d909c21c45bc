// A component's scripts share one scope, as ui/components/__init__.py joins them.

const { readFileSync } = require("node:fs")
const { join } = require("node:path")

const COMPONENTS = join(__dirname, "..", "..", "ui", "components")

// What the joined files of ui/components declare under these names.
function scope(files, names) {
  const source = files.map((file) => readFileSync(join(COMPONENTS, file), "utf8")).join("\n")
  return new Function(`${source}\nreturn { ${names.join(", ")} }`)()
}

module.exports = { scope }
