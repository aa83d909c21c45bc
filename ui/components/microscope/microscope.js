// The neuron microscope: all maps of all layers, and the arithmetic behind any one pixel of them.

const scopes = new WeakMap()
const HELD = ["one", "arithmetic"]
const WIDE = 640

export default function (component) {
  const { parentElement, data, setStateValue, setTriggerValue } = component
  let scope = scopes.get(parentElement)
  if (!scope) {
    scope = new Microscope(parentElement)
    scopes.set(parentElement, scope)
  }
  scope.setAsked = (pairs) => setStateValue("asked", pairs)
  scope.setLayer = (name) => setTriggerValue("layer", name)
  scope.take(data)
}

async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))
  return readPackage(await new Response(stream).arrayBuffer())
}

function same(one, other) {
  return one.length === other?.length && one.every((byte, at) => byte === other[at])
}

// open: the layer whose maps are large. at: the place under the pointer, in any layer.
class Microscope {
  constructor(parent) {
    this.root = parent.querySelector(".microscope")
    this.find = (name) => this.root.querySelector("." + name)
    this.pinned = false
    this.grids = new Map()
    this.places = new Map()
    this.asked = new Map()
    this.taken = 0
    listen(this)
    new ResizeObserver(() => {
      if (this.head && this.room !== this.root.clientWidth) this.settle()
    }).observe(this.root)
  }

  // Draw what Python sent, unless it is drawn already; of two that overlap the later one stays.
  async take(bytes) {
    if (same(bytes, this.bytes)) return
    this.bytes = bytes
    const own = ++this.taken
    const head = await unpack(bytes)
    if (own !== this.taken) return
    const before = this.head
    this.head = head
    this.paint = new Paint(head.colors)
    this.dress()
    this.orient(before)
    drawGrids(this)
    drawLayers(this)
    this.settle()
    this.root.dataset.drawn = String(own)
  }

  get layer() {
    return this.head.sent.get(this.at.layer)
  }

  get side() {
    return this.layer.sides[this.at.side]
  }

  dress() {
    const style = this.root.style,
      { colors } = this.head
    style.setProperty("--paper", colors.paper)
    style.setProperty("--pointer", colors.pointer)
    style.setProperty("--muted", colors.quiet)
  }

  // In new data stay where the visitor was, unless they or Python asked for another place.
  orient(before) {
    const { head, wanted } = this
    this.keepPlaces(before)
    const moved = before?.turn !== head.turn || !head.sent.has(this.open)
    if (moved) {
      this.open = head.sent.has(head.open) ? head.open : [...head.sent.keys()][0]
      this.said = head.open
    }
    let name = moved || !head.sent.has(this.at.layer) ? this.open : this.at.layer
    if (wanted && head.sent.has(wanted.layer)) {
      name = wanted.layer
      if (wanted.channel === null) this.open = name
      else this.placeIn(name).channel = wanted.channel
    }
    this.wanted = null
    this.at = this.placeIn(name)
  }

  // What the visitor pointed at in each layer holds as long as the layer keeps its shape.
  keepPlaces(before) {
    for (const [name, place] of this.places) {
      const layer = this.head.sent.get(name),
        old = before.sent.get(name)
      if (!layer || !old || old.sides[0].side !== layer.sides[0].side) {
        this.places.delete(name)
        continue
      }
      const [first] = layer.sides
      place.side = Math.min(place.side, layer.sides.length - 1)
      place.channel = Math.min(place.channel, first.channels - 1)
      place.input = Math.min(place.input, first.inputs - 1)
      if (!first.knows(place.channel)) place.channel = layer.channel
    }
  }

  // The place in a layer; at first where its strongest channel is strongest.
  placeIn(name) {
    if (!this.places.has(name)) {
      const { channel, sides } = this.head.sent.get(name)
      const [row, column] = sides[0].strongest(channel)
      const input = leading(sides[0], channel, row, column)
      this.places.set(name, { layer: name, side: 0, channel, row, column, input })
    }
    return this.places.get(name)
  }

  // Make a layer's maps large and go there, with nothing asked of the server.
  enlarge(name) {
    if (!this.head.sent.has(name)) {
      this.ask(name, null)
      return
    }
    this.open = name
    this.pinned = false
    this.at = this.placeIn(name)
    drawLayers(this)
    this.settle()
  }

  // Ask Python for what did not fit: a layer, or the kernels of one of its channels.
  ask(layer, channel) {
    const earlier = this.asked.get(layer) ?? null
    this.asked.delete(layer)
    this.asked = new Map([[layer, channel ?? earlier], ...this.asked])
    this.wanted = { layer, channel }
    this.setAsked([...this.asked])
  }

  // The page's link carries the large layer; Python is told when the visitor is done here.
  leave() {
    if (!this.head || this.open === this.said) return
    this.said = this.open
    this.setLayer(this.open)
  }

  // Move to what differs from the place now; everything that depends on it follows.
  move(change) {
    const before = { ...this.at }
    if (change.layer) this.at = this.placeIn(change.layer)
    const { at, layer, side } = this
    Object.assign(at, change)
    const last = (layer.pooled ? layer.width * side.pooling : side.side) - 1
    at.row = Math.min(last, Math.max(0, at.row))
    at.column = Math.min(last, Math.max(0, at.column))
    if (["layer", "side", "channel"].some((name) => before[name] !== at[name])) this.drawChosen()
    this.drawPlace()
    drawArithmetic(this)
    this.hold()
  }

  // Where a mouse can hover, the parts above the small maps have the height of the largest layer's:
  // otherwise pointing at those would push them away from under the pointer.
  settle() {
    const { layer } = this.at
    this.room = this.root.clientWidth
    this.held = {}
    for (const name of HELD) this.find(name).style.minHeight = ""
    const others = this.room < WIDE ? [] : this.head.sent.keys()
    for (const name of [...others, layer]) {
      this.at = this.placeIn(name)
      this.drawChosen()
      this.move({})
    }
  }

  hold() {
    for (const name of HELD) {
      const part = this.find(name),
        height = Math.ceil(part.getBoundingClientRect().height)
      if (height <= (this.held[name] ?? 0)) continue
      this.held[name] = height
      part.style.minHeight = `${height}px`
    }
  }

  drawChosen() {
    const { at, head, layer, paint, side } = this
    for (const grid of this.grids.values()) grid.mark(at)
    paint.draw(
      this.find("map"),
      side.map(at.channel, layer.stage),
      layer.width,
      head.shared ? layer.limit() : side.limit(layer.stage, at.channel),
      layer.signed,
    )
    const { title, image } = head.sides[at.side]
    paint.drawImage(this.find("image"), image, head.images, 1)
    this.find("input-name").textContent = head.sides.length > 1 ? title : "Input"
    this.find("one-name").textContent = `${layer.name}, channel ${at.channel}`
    this.find("map").setAttribute(
      "aria-label",
      `Map of ${layer.name}, channel ${at.channel}: arrow keys move`,
    )
    this.drawInputs()
  }

  drawPlace() {
    const { at, head, layer, side } = this
    const [top, bottom] = side.sees[at.row],
      [left, right] = side.sees[at.column]
    const [height, width] = [bottom - top + 1, right - left + 1]
    place(this.find("field"), top, left, height, width, head.images.side)
    const step = layer.pooled ? side.pooling : 1
    place(
      this.find("here"),
      Math.floor(at.row / step),
      Math.floor(at.column / step),
      1,
      1,
      layer.width,
    )
    const state = side.states[at.channel]
    this.find("input-note").textContent = `What this position sees: ${height} × ${width} pixels.`
    this.find("one-detail").textContent = `· row ${at.row}, column ${at.column}`
    this.find("values").textContent =
      this.values().join(", ") + (state ? ` · ${meaning(state, head.counted)}` : "")
    this.find("hint").textContent = this.pinned
      ? "Held. Click the same pixel, or press Escape, to let go."
      : "Point, tap or use the arrow keys; a click holds the pixel."
    Object.assign(this.root.dataset, {
      field: [top, bottom, left, right].join(),
      layer: layer.name,
      stage: layer.stage,
      limit: layer.limit(),
    })
  }

  // The number under the pointer, on both sides where two are compared.
  values() {
    const { at, head, layer } = this
    return layer.sides.map((side, number) => {
      const { before, after } = side.value(at.channel, at.row, at.column)
      const value = written(layer.signed ? before : after)
      return layer.sides.length > 1 ? `${head.sides[number].title}: ${value}` : value
    })
  }

  // The strip of input channels belongs to the chosen channel.
  drawInputs() {
    const { side, at, head, paint } = this,
      strip = this.find("strip")
    this.find("inputs").classList.toggle("hidden", side.inputs === 1)
    if (side.inputs === 1) return
    while (strip.children.length > side.inputs) strip.lastChild.remove()
    while (strip.children.length < side.inputs) strip.append(inputCell(strip.children.length))
    ;[...strip.children].forEach((cell, input) =>
      paint.draw(
        cell.querySelector("canvas"),
        side.slice(input, at.channel),
        side.kernelSize,
        head.kernelLimit,
        true,
      ),
    )
  }
}

// The input channel that adds most to a number, in magnitude.
function leading(side, channel, row, column) {
  const sizes = side.contributions(channel, row, column).map(Math.abs)
  return sizes.indexOf(Math.max(...sizes))
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
