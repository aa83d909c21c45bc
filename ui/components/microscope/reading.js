// The lower right part: patch × kernel, the sum over input channels, and what becomes of it.

function drawArithmetic(scope) {
  const { at, side } = scope
  const found = side.value(at.channel, at.row, at.column)
  drawProducts(scope)
  drawContributions(scope, found)
  drawEquation(scope, found)
  drawPooling(scope, found)
  Object.assign(scope.root.dataset, {
    side: at.side,
    channel: at.channel,
    row: at.row,
    column: at.column,
    input: at.input,
    sum: found.sum,
    biased: found.biased,
    before: found.before,
    after: found.after,
  })
}

function drawProducts(scope) {
  const { at, side, head, paint } = scope,
    size = side.kernelSize
  const brightest = side.inputs === 1 ? 1 : sourceLimit(side)
  const patch = [],
    kernel = [],
    product = []
  for (let dy = 0; dy < size; dy++)
    for (let dx = 0; dx < size; dx++) {
      const value = side.under(at.row, at.column, dy, dx, at.input)
      const weight = side.weight(dy, dx, at.input, at.channel)
      patch.push({ value: value ?? 0, outside: value === null })
      kernel.push({ value: weight })
      product.push({ value: (value ?? 0) * weight, outside: value === null })
    }
  scope.find("products").classList.toggle("large", size > 3)
  scope.find("arithmetic").classList.toggle("single", side.inputs === 1 && size <= 3)
  fill(scope.find("patch"), patch, size, (cell, value) => paint.cell(cell, value, brightest, false))
  for (const [name, values] of [
    ["kernel", kernel],
    ["product", product],
  ])
    fill(scope.find(name), values, size, (cell, value) =>
      paint.cell(cell, value, head.kernelLimit, true),
    )
  scope.find("patch-name").textContent =
    side.inputs === 1 ? "pixels" : `${side.sourceName}, channel ${at.input}`
  scope.find("kernel-name").textContent = `kernel, ±${head.kernelLimit}`
  scope.find("product-name").textContent = "products"
}

function sourceLimit(side) {
  side.brightest ??= side.source.reduce((a, b) => Math.max(a, b), 1e-6)
  return side.brightest
}

function drawContributions(scope, { contributions, sum }) {
  const { at, side, head } = scope
  if (side.inputs === 1) return
  const limit = contributions.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-6)
  const colors = head.colors.signed
  ;[...scope.find("strip").children].forEach((cell, input) => {
    const value = contributions[input],
      length = (Math.abs(value) / limit) * 13
    Object.assign(cell.querySelector("i").style, {
      background: value < 0 ? colors[2] : colors[8],
      top: `${value < 0 ? 13 : 13 - length}px`,
      height: `${length}px`,
    })
    const chosen = String(input === at.input)
    if (cell.ariaSelected !== chosen) cell.setAttribute("aria-selected", chosen)
  })
  scope.find("inputs-note").textContent =
    `Channel ${at.input} of ${side.sourceName} adds ${written(contributions[at.input], 3)} to the sum of all ` +
    `${side.inputs}, ${written(sum, 3)}. Each slice of the kernel, and what it adds: choose one.`
}

function drawEquation(scope, { sum, biased, normalized, added, before, after }) {
  const { at, side } = scope,
    bias = side.bias[at.channel]
  const over = side.inputs === 1 ? "sum" : `sum over ${side.inputs} channels`
  const parts = [
    muted(over),
    number(sum),
    muted("+ bias"),
    number(bias),
    muted("="),
    number(biased),
  ]
  if (side.normalized)
    parts.push(
      muted("→ batch normalization:"),
      number(side.scale[at.channel]),
      muted("×"),
      number(biased),
      muted("+"),
      number(side.shift[at.channel]),
      muted("="),
      number(normalized),
    )
  if (side.added) parts.push(muted("+ shortcut"), number(added), muted("="), number(before))
  parts.push(muted("→ ReLU →"), number(after, "strong"))
  scope.find("equation").replaceChildren(...parts.flatMap((part) => [part, " "]))
}

function drawPooling(scope, { after }) {
  const { at, layer, side, paint, head } = scope,
    area = scope.find("pooling")
  area.classList.toggle("hidden", !side.pooling)
  if (!side.pooling) return
  const shared = side.window(at.row, at.column),
    note = scope.find("pooling-note")
  scope.find("window").classList.toggle("hidden", !shared)
  scope.find("there").classList.toggle("hidden", !shared)
  const limit = head.shared
    ? layer.limit(undefined, "after ReLU")
    : side.limit("after ReLU", at.channel)
  const pooledSide = Math.floor(side.side / side.pooling)
  paint.draw(scope.find("pooled"), side.map(at.channel, "after pooling"), pooledSide, limit, false)
  scope.find("pooled").setAttribute("aria-label", `Channel ${at.channel} after pooling`)
  if (!shared) {
    note.textContent = `Pooling leaves this row or column over: ${side.side} is no multiple of ${side.pooling}.`
    scope.root.dataset.pooled = ""
    return
  }
  const values = shared.positions.map(([y, x]) => ({ value: side.value(at.channel, y, x).after }))
  const pooled = side.pooledOf(values.map((each) => each.value))
  fill(scope.find("window"), values, side.pooling, (cell, value, index) => {
    paint.cell(cell, value, limit, false)
    const [y, x] = shared.positions[index]
    cell.classList.toggle("chosen", y === at.row && x === at.column)
  })
  place(scope.find("there"), shared.top, shared.left, 1, 1, shared.pooledSide)
  const wins = after === pooled && !side.averages
  const verdict =
    pooled === 0
      ? "All of its pooling window is 0."
      : side.averages
        ? `The mean of its pooling window, ${written(pooled)}, goes on.`
        : wins
          ? "It wins its pooling window and goes on."
          : `Its pooling window passes on ${written(pooled)} instead.`
  note.textContent = `${verdict} Row ${shared.top}, column ${shared.left} of the pooled map.`
  Object.assign(scope.root.dataset, { pooled, wins: String(wins && pooled > 0) })
}

function fill(area, values, columns, paintCell) {
  area.style.gridTemplateColumns = `repeat(${columns}, var(--cell))`
  while (area.children.length > values.length) area.lastChild.remove()
  while (area.children.length < values.length) area.append(document.createElement("span"))
  values.forEach(({ value, outside }, index) => {
    const cell = area.children[index]
    cell.textContent = outside ? "0" : written(value)
    cell.classList.toggle("outside", Boolean(outside))
    cell.title = outside ? "Beyond the border: counted as 0" : ""
    paintCell(cell, value, index)
  })
}

function muted(text) {
  const span = document.createElement("span")
  span.textContent = text
  return span
}

function number(value, tag = "b") {
  const element = document.createElement(tag)
  element.style.fontWeight = tag === "b" ? 400 : ""
  element.textContent = written(value)
  return element
}
