// The neuron microscope: all maps of a layer, and the arithmetic behind any one pixel of them.

const scopes = new WeakMap()

export default function (component) {
  const { parentElement, data, setStateValue } = component
  let scope = scopes.get(parentElement)
  if (!scope) {
    scope = new Microscope(parentElement)
    scopes.set(parentElement, scope)
  }
  scope.ask = (channel) => setStateValue("channel", { layer: scope.head.layer, channel })
  scope.take(data)
}

async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))
  return readPackage(await new Response(stream).arrayBuffer())
}

class Microscope {
  constructor(parent) {
    this.root = parent.querySelector(".microscope")
    this.find = (name) => this.root.querySelector("." + name)
    this.at = { side: 0, channel: 0, row: 0, column: 0, input: 0 }
    this.pinned = false
    this.tiles = new Map()
    this.taken = 0
    listen(this)
  }

  // Draw what Python sent; of two that overlap the later one stays.
  async take(bytes) {
    const own = ++this.taken
    const head = await unpack(bytes)
    if (own !== this.taken) return
    const before = this.head
    this.head = head
    this.paint = new Paint(head.colors)
    this.signed = head.stage === "before ReLU"
    this.shared = Math.max(...head.sides.map((side) => side.limit(head.stage)))
    this.dress()
    this.keepPlace(before)
    this.drawMaps()
    this.drawChosen()
    this.move({})
    this.root.dataset.drawn = String(own)
  }

  get side() {
    return this.head.sides[this.at.side]
  }

  get pooled() {
    return this.head.stage === "after pooling"
  }

  // How many pixels of the shown maps lie side by side.
  get width() {
    return this.pooled ? Math.floor(this.side.side / this.side.pooling) : this.side.side
  }

  dress() {
    const style = this.root.style,
      { colors } = this.head
    style.setProperty("--paper", colors.paper)
    style.setProperty("--pointer", colors.pointer)
    style.setProperty("--muted", colors.quiet)
  }

  // Stay where the visitor points; in another layer begin where the strongest channel is strongest.
  keepPlace(before) {
    const { head, at } = this
    const moved =
      !before || before.layer !== head.layer || before.sides[0].side !== this.head.sides[0].side
    at.side = Math.min(at.side, head.sides.length - 1)
    if (moved || !head.whole) at.channel = head.channel
    at.channel = Math.min(at.channel, head.sides[0].channels - 1)
    at.input = Math.min(at.input, head.sides[0].inputs - 1)
    if (moved) {
      ;[at.row, at.column] = this.side.strongest(at.channel)
      at.input = 0
      at.input = this.leading()
      this.pinned = false
    }
  }

  // The input channel that adds most to the number, in magnitude.
  leading() {
    const { channel, row, column } = this.at
    const sizes = this.side.contributions(channel, row, column).map(Math.abs)
    return sizes.indexOf(Math.max(...sizes))
  }

  drawMaps() {
    const { head, paint, signed } = this,
      first = head.sides[0],
      grid = this.find("grid")
    const pairs = head.sides.length > 1
    grid.classList.toggle("pairs", pairs)
    grid.setAttribute(
      "aria-label",
      `All maps of ${head.layer}, ${head.stage}: arrow keys move, Shift with them changes the channel`,
    )
    const signature = [
      head.layer,
      pairs,
      head.oneNetwork,
      head.whole,
      first.channels,
      first.inputs,
    ].join()
    if (signature !== this.signature) {
      this.signature = signature
      this.tiles.clear()
      grid.replaceChildren()
    }
    for (const [rank, channel] of head.order.entries()) {
      if (!this.tiles.has(channel)) this.tiles.set(channel, this.tile(channel))
      const tile = this.tiles.get(channel)
      if (grid.children[rank] !== tile) grid.insertBefore(tile, grid.children[rank] ?? null)
      head.sides.forEach((side, number) => {
        const canvas = tile.querySelector(`canvas[data-side="${number}"]`)
        const limit = head.shared
          ? this.shared
          : Math.max(...head.sides.map((s) => s.limit(head.stage, channel)))
        paint.draw(canvas, side.map(channel, head.stage), this.width, limit, signed)
        const kernel = tile.querySelector(`canvas[data-kernel="${number}"]`)
        if (kernel) this.drawKernel(kernel, side, channel, 0)
      })
      this.label(tile, channel)
    }
    this.legend()
  }

  tile(channel) {
    const tile = document.createElement("div")
    tile.className = "tile"
    const kernels = this.head.whole && this.head.sides[0].inputs === 1
    this.head.sides.forEach((_, number) => tile.append(canvasOf({ side: number, channel })))
    const label = document.createElement("div")
    label.className = "label"
    label.append(document.createElement("span"))
    const networks = this.head.oneNetwork ? 1 : this.head.sides.length
    for (let number = 0; kernels && number < networks; number++)
      label.append(canvasOf({ kernel: number }))
    const mark = document.createElement("span")
    mark.className = "mark"
    label.append(mark)
    tile.append(label)
    return tile
  }

  label(tile, channel) {
    const marks = this.head.sides.map((side) => MARKS[side.states[channel]] ?? "")
    tile.querySelector(".label span").textContent = String(channel)
    const note = this.head.notes[channel]
    const both = marks.length > 1 ? marks.map((each) => each || "·").join("") : marks[0]
    tile.querySelector(".mark").textContent = [marks.some(Boolean) ? both : "", note].join(" ")
    const states = this.head.sides.map((side) => side.states[channel] || "active")
    tile.title = `Channel ${channel}: ${states.join(", beside it ")}`
    tile.dataset.channel = channel
    tile.dataset.state = this.head.sides[0].states[channel]
  }

  drawKernel(canvas, side, channel, input) {
    const size = side.kernelSize,
      values = []
    for (let dy = 0; dy < size; dy++)
      for (let dx = 0; dx < size; dx++) values.push(side.weight(dy, dx, input, channel))
    this.paint.draw(canvas, values, size, this.head.kernelLimit, true)
  }

  legend() {
    const { head, signed } = this,
      limit = written(this.shared)
    const count = head.sides[0].channels
    const own =
      head.sides.length > 1 ? "each channel on its own scale" : "each map on its own scale"
    this.paint.legend(this.find("ramp"), signed)
    this.find("low").textContent = head.shared && signed ? `−${limit}` : signed ? "−" : "0"
    this.find("high").textContent = head.shared
      ? `${limit}, one scale for all ${count}`
      : `${signed ? "+" : "its maximum"}: ${own}, strengths do not compare`
    this.find("all-name").textContent = `${head.layer}, ${head.stage}`
    const beside =
      head.sides.length > 1 ? ` · left ${head.sides[0].title}, right ${head.sides[1].title}` : ""
    this.find("all-detail").textContent =
      `· ${count} channels of ${this.width} × ${this.width}${beside}`
    this.find("marks").textContent = this.marks()
    Object.assign(this.root.dataset, { limit: this.shared, stage: head.stage, layer: head.layer })
  }

  marks() {
    const parts = Object.entries(MARKS).map(([state, symbol]) => {
      const counts = this.head.sides.map((side) => side.states.filter((s) => s === state).length)
      return counts.some(Boolean) ? `${symbol} ${MEANING[state]} (${counts.join(" | ")})` : ""
    })
    const kernels =
      this.head.whole && this.head.sides[0].inputs === 1
        ? `Beside the number: the kernel, ±${this.head.kernelLimit}.`
        : ""
    const rest = this.head.whole
      ? ""
      : "Kernels too large to send at once: click a map to fetch its own."
    const marks = parts.filter(Boolean).join(" · ")
    return [marks && `${marks}.`, kernels, rest].filter(Boolean).join(" ")
  }

  // Move to what differs from the place now; everything that depends on it follows.
  move(change) {
    const { at } = this,
      channel = at.channel,
      side = at.side
    Object.assign(at, change)
    const last = (this.pooled ? this.width * this.side.pooling : this.side.side) - 1
    at.row = Math.min(last, Math.max(0, at.row))
    at.column = Math.min(last, Math.max(0, at.column))
    at.input = Math.min(at.input, this.side.inputs - 1)
    if (channel !== at.channel || side !== at.side) this.drawChosen()
    this.drawPlace()
    drawArithmetic(this)
  }

  drawChosen() {
    const { at, head, paint, side } = this
    for (const [channel, tile] of this.tiles) {
      tile.classList.toggle("chosen", channel === at.channel)
      tile
        .querySelectorAll("canvas[data-side]")
        .forEach((canvas) =>
          canvas.classList.toggle("live", Number(canvas.dataset.side) === at.side),
        )
    }
    const limit = head.shared ? this.shared : side.limit(head.stage, at.channel)
    paint.draw(this.find("map"), side.map(at.channel, head.stage), this.width, limit, this.signed)
    paint.draw(this.find("digit"), side.image, 28, 1, false)
    this.find("input-name").textContent = head.sides.length > 1 ? side.title : "Input"
    this.find("one-name").textContent = `Channel ${at.channel}`
    this.find("map").setAttribute("aria-label", `Map of channel ${at.channel}: arrow keys move`)
    this.drawInputs()
  }

  drawPlace() {
    const { at, side } = this
    const [top, bottom] = side.sees[at.row],
      [left, right] = side.sees[at.column]
    place(this.find("field"), top, left, bottom - top + 1, right - left + 1, 28)
    const step = this.pooled ? side.pooling : 1
    place(
      this.find("here"),
      Math.floor(at.row / step),
      Math.floor(at.column / step),
      1,
      1,
      this.width,
    )
    const state = side.states[at.channel]
    this.find("input-note").textContent =
      `What this position sees: ${bottom - top + 1} × ${right - left + 1} pixels.`
    this.find("one-detail").textContent = `· row ${at.row}, column ${at.column}`
    this.find("values").textContent =
      this.values().join(", ") + (state ? ` · ${MEANING[state]}` : "")
    this.find("hint").textContent = this.pinned
      ? "Held. Click the same pixel, or press Escape, to let go."
      : "Point, tap or use the arrow keys; a click holds the pixel."
    Object.assign(this.root.dataset, { field: [top, bottom, left, right].join() })
  }

  // The number under the pointer, on both sides where two are compared.
  values() {
    const { at, head, signed } = this
    return head.sides.map((side) => {
      if (!side.knows(at.channel)) return ""
      const { before, after } = side.value(at.channel, at.row, at.column)
      const value = written(signed ? before : after)
      return head.sides.length > 1 ? `${side.title}: ${value}` : value
    })
  }

  // The strip of input channels belongs to the chosen channel.
  drawInputs() {
    const { side, at } = this,
      strip = this.find("strip")
    this.find("inputs").classList.toggle("hidden", side.inputs === 1)
    if (side.inputs === 1 || !side.knows(at.channel)) return
    while (strip.children.length > side.inputs) strip.lastChild.remove()
    while (strip.children.length < side.inputs) strip.append(inputCell(strip.children.length))
    ;[...strip.children].forEach((cell, input) =>
      this.drawKernel(cell.querySelector("canvas"), side, at.channel, input),
    )
  }
}

const MARKS = { dead: "✕", saturated: "●", silent: "○" }
const MEANING = {
  dead: "dead: never above 0 on 1,000 test images",
  saturated: "saturated: above 0 at 99 % of positions or more, on 1,000 test images",
  silent: "silent for this image",
}

function canvasOf(data) {
  const canvas = document.createElement("canvas")
  Object.assign(canvas.dataset, data)
  return canvas
}

function inputCell(input) {
  const cell = document.createElement("div")
  cell.dataset.input = input
  cell.setAttribute("role", "option")
  cell.setAttribute("aria-label", `Input channel ${input}`)
  const bar = document.createElement("span")
  bar.className = "bar"
  bar.append(document.createElement("i"))
  cell.append(document.createElement("canvas"), bar)
  return cell
}

function place(outline, row, column, height, width, side) {
  const percent = (value) => `${(value / side) * 100}%`
  Object.assign(outline.style, {
    top: percent(row),
    left: percent(column),
    height: percent(height),
    width: percent(width),
  })
}
