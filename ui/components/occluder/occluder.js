// Hide a block of the image by hand and watch the probabilities of all classes.
// All logits come once from Python; moving the block only reads them.

const CANVAS = 616 // pixels of a canvas, or nearly: each of the image's is a whole number of them
const LABELED_CELL = 40 // canvas pixels: smaller cells share one label for their region

export default function ({ data, parentElement }) {
  const find = (selector) => parentElement.querySelector(selector)
  const hand = find("canvas.hand")
  const map = find("canvas.map")
  const image = bytes(data.image)
  const fill = bytes(data.fill)
  const { side, classes } = data
  const cells = floats(data.logits) // [rows, columns, classes] at the map's positions
  const free = floats(data.freeLogits) // [free, free, classes] at every position inside the image
  const changes = floats(data.changes) // [rows, columns], what the map shows
  const paint = new Paint(data.colors)
  const rows = data.starts.length
  const last = side - data.block
  const clean = softmax(data.cleanLogits)
  let top = 0
  let left = 0

  function show(newTop, newLeft, logits) {
    top = newTop
    left = newLeft
    const now = softmax(logits)
    const predicted = argmax(now)
    drawHidden(hand, paint, image, fill, top, left, data)
    drawBars(find(".class-bars"), {
      classes,
      probabilities: now,
      ticks: clean,
      trueLabel: data.trueLabel,
      colors: data.colors,
    })
    find(".where").textContent =
      `The block at row ${top}, column ${left}: reads ${classes[predicted]}, ` +
      `p(${classes[data.label]}) = ${now[data.label].toFixed(3)}. Drag it, or use the arrow keys.`
    Object.assign(find(".occluder").dataset, { top, left, predicted })
  }

  function showFree(newTop, newLeft) {
    const row = clamp(Math.round(newTop), 0, last)
    const column = clamp(Math.round(newLeft), 0, last)
    show(row, column, at(free, row * (last + 1) + column, classes.length))
  }

  function showCell(row, column) {
    show(data.starts[row], data.starts[column], at(cells, row * rows + column, classes.length))
  }

  const follow = (event) => {
    const [y, x] = place(hand, event, side)
    showFree(y - data.block / 2, x - data.block / 2)
  }
  hand.onpointerdown = (event) => {
    hand.setPointerCapture(event.pointerId)
    hand.classList.add("held")
    follow(event)
  }
  hand.onpointermove = (event) => {
    if (hand.classList.contains("held")) follow(event)
  }
  hand.onpointerup = hand.onpointercancel = () => hand.classList.remove("held")
  hand.onkeydown = (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }
    if (event.key in step) {
      event.preventDefault()
      showFree(top + step[event.key][0], left + step[event.key][1])
    }
  }
  map.onclick = (event) => {
    const [y, x] = place(map, event, rows)
    showCell(clamp(Math.floor(y), 0, rows - 1), clamp(Math.floor(x), 0, rows - 1))
  }

  for (const canvas of [hand, map]) {
    canvas.width = canvas.height = side * Math.max(1, Math.round(CANVAS / side))
  }
  hand.setAttribute("aria-label", `${data.title} with a block that can be moved`)
  map.setAttribute("aria-label", data.legend)
  find(".legend").textContent = data.legend
  find(".low").textContent = data.low
  find(".high").textContent = data.high
  paint.legend(find("canvas.scale"), true)
  if (data.pixels) drawPixels(map, paint, floats(data.pixels), data)
  else drawMap(map, paint, changes, cells, argmax(clean), data)
  showCell(...data.start)
}

function drawHidden(canvas, paint, image, fill, top, left, { side, channels, block, colors }) {
  const context = canvas.getContext("2d")
  const size = canvas.width / side
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const hidden = y >= top && y < top + block && x >= left && x < left + block
      const color = paint.pixel(hidden ? fill : image, y * side + x, channels, 255)
      context.fillStyle = `rgb(${color})`
      context.fillRect(x * size, y * size, size, size)
    }
  context.strokeStyle = colors.pointer
  context.lineWidth = 5
  const height = Math.min(block, side - top) * size
  const width = Math.min(block, side - left) * size
  context.strokeRect(left * size + 2.5, top * size + 2.5, width - 5, height - 5)
}

function drawMap(canvas, paint, changes, cells, cleanClass, data) {
  const { starts, limit, colors, classes } = data
  const context = canvas.getContext("2d")
  const rows = starts.length
  const edge = (index) => Math.round((index * canvas.width) / rows)
  changes.forEach((change, index) => {
    const [y, x] = [Math.floor(index / rows), index % rows]
    context.fillStyle = paint.css(change, limit, true)
    context.fillRect(edge(x), edge(y), edge(x + 1) - edge(x), edge(y + 1) - edge(y))
  })
  const answers = Array.from(changes, (_, index) => argmax(at(cells, index, classes.length)))
  const cell = canvas.width / rows
  context.font = `700 ${Math.round(clamp(cell * 0.5, 28, 40))}px ${fontOf(canvas)}`
  context.textAlign = "center"
  context.textBaseline = "middle"
  const fits = classes.every((name) => context.measureText(name).width < cell)
  for (const region of regions(answers, rows, cleanClass)) {
    outline(context, region, rows, edge, colors)
    const labeled = cell >= LABELED_CELL && fits ? region : [middle(region, rows)]
    for (const index of labeled) {
      const strong = Math.abs(changes[index]) > limit / 2
      context.fillStyle = strong ? colors.paper : colors.ink
      const [y, x] = [Math.floor(index / rows) + 0.5, (index % rows) + 0.5]
      context.fillText(classes[answers[index]], x * cell, y * cell + 2)
    }
  }
}

// The mean over the blocks that hide a pixel, with the outline of what is bright on top.
function drawPixels(canvas, paint, values, { side, channels, limit, colors, image }) {
  const context = canvas.getContext("2d")
  const size = canvas.width / side
  const ink = brightness(bytes(image), channels)
  values.forEach((value, index) => {
    const [y, x] = [Math.floor(index / side), index % side]
    context.fillStyle = Number.isNaN(value) ? colors.paper : paint.css(value, limit, true)
    context.fillRect(x * size, y * size, size, size)
  })
  context.strokeStyle = colors.ink
  context.lineWidth = 2
  context.beginPath()
  ink.forEach((value, index) => {
    const [y, x] = [Math.floor(index / side), index % side]
    if (value < 128) return
    const dark = (dy, dx) =>
      x + dx >= 0 && x + dx < side && (ink[(y + dy) * side + x + dx] ?? 0) >= 128
    const sides = [
      [-1, 0, 0, 0, 1, 0],
      [1, 0, 0, 1, 1, 1],
      [0, -1, 0, 0, 0, 1],
      [0, 1, 1, 0, 1, 1],
    ]
    for (const [dy, dx, x0, y0, x1, y1] of sides)
      if (!dark(dy, dx)) {
        context.moveTo((x + x0) * size, (y + y0) * size)
        context.lineTo((x + x1) * size, (y + y1) * size)
      }
  })
  context.stroke()
}

// The mean of each pixel's channels.
function brightness(values, channels) {
  if (channels === 1) return values
  return Float32Array.from({ length: values.length / channels }, (_, pixel) => {
    const own = values.subarray(pixel * channels, (pixel + 1) * channels)
    return own.reduce((sum, value) => sum + value, 0) / channels
  })
}

// Connected cells with the same answer, where it differs from the answer without a block.
function regions(classes, rows, cleanClass) {
  const seen = new Set()
  const found = []
  classes.forEach((label, start) => {
    if (label === cleanClass || seen.has(start)) return
    const region = []
    const queue = [start]
    seen.add(start)
    while (queue.length) {
      const index = queue.pop()
      region.push(index)
      for (const next of neighbors(index, rows))
        if (classes[next] === label && !seen.has(next)) {
          seen.add(next)
          queue.push(next)
        }
    }
    found.push(region)
  })
  return found
}

function neighbors(index, rows) {
  const [y, x] = [Math.floor(index / rows), index % rows]
  const found = []
  if (y > 0) found.push(index - rows)
  if (y < rows - 1) found.push(index + rows)
  if (x > 0) found.push(index - 1)
  if (x < rows - 1) found.push(index + 1)
  return found
}

function middle(region, rows) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const y = mean(region.map((index) => Math.floor(index / rows)))
  const x = mean(region.map((index) => index % rows))
  const distance = (index) => Math.hypot(Math.floor(index / rows) - y, (index % rows) - x)
  return region.reduce((best, index) => (distance(index) < distance(best) ? index : best))
}

function outline(context, region, rows, edge, colors) {
  const inside = new Set(region)
  context.strokeStyle = colors.ink
  context.lineWidth = 2
  context.beginPath()
  for (const index of region) {
    const [y, x] = [Math.floor(index / rows), index % rows]
    const line = (x0, y0, x1, y1) => {
      context.moveTo(edge(x0), edge(y0))
      context.lineTo(edge(x1), edge(y1))
    }
    if (!inside.has(index - rows)) line(x, y, x + 1, y)
    if (!inside.has(index + rows)) line(x, y + 1, x + 1, y + 1)
    if (x === 0 || !inside.has(index - 1)) line(x, y, x, y + 1)
    if (x === rows - 1 || !inside.has(index + 1)) line(x + 1, y, x + 1, y + 1)
  }
  context.stroke()
}

function place(canvas, event, units) {
  const box = canvas.getBoundingClientRect()
  return [
    ((event.clientY - box.top) / box.height) * units,
    ((event.clientX - box.left) / box.width) * units,
  ]
}

function softmax(logits) {
  const largest = Math.max(...logits)
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}

const argmax = (values) => values.indexOf(Math.max(...values))
const at = (logits, position, count) =>
  Array.from(logits.subarray(position * count, (position + 1) * count))
const clamp = (value, low, high) => Math.min(high, Math.max(low, value))
const fontOf = (canvas) => getComputedStyle(canvas).fontFamily
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
const floats = (text) => new Float32Array(bytes(text).buffer)
