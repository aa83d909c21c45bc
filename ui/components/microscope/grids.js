// All maps of each layer, those of one layer large and the others small, and the switch between.

const MARKS = { dead: "✕", saturated: "●", silent: "○" }

// What a channel's state means; it was looked at on so many test images.
function meaning(state, counted) {
  const images = `on ${counted.toLocaleString("en")} test images`
  return {
    dead: `dead: never above 0 ${images}`,
    saturated: `saturated: above 0 at 99 % of positions or more, ${images}`,
    silent: "silent for this image",
  }[state]
}

// One section for each layer, filled from the data.
function drawGrids(scope) {
  const { grids, head } = scope
  const names = head.layers.map((layer) => layer.name)
  for (const [name, grid] of grids)
    if (!names.includes(name)) {
      grid.root.remove()
      grids.delete(name)
    }
  for (const layer of head.layers) {
    if (!grids.has(layer.name)) grids.set(layer.name, new Grid(scope, layer.name))
    grids.get(layer.name).draw(layer)
  }
}

// The open layer's section on top, the others below, and a button for each.
function drawLayers(scope) {
  const { grids, head, open } = scope,
    others = scope.find("others")
  const rest = head.layers.map((layer) => layer.name).filter((name) => name !== open)
  for (const [slot, names] of [
    [scope.find("all"), [open]],
    [others, rest],
  ])
    names.forEach((name, rank) => {
      const { root } = grids.get(name)
      root.classList.toggle("small", slot === others)
      if (slot.children[rank] !== root) slot.insertBefore(root, slot.children[rank] ?? null)
    })
  drawSwitch(scope)
}

function drawSwitch({ find, head, open }) {
  const area = find("layers"),
    { layers } = head
  area.classList.toggle("hidden", layers.length < 2)
  while (area.children.length > layers.length) area.lastChild.remove()
  while (area.children.length < layers.length) {
    const button = document.createElement("button")
    button.type = "button"
    button.setAttribute("role", "radio")
    area.append(button)
  }
  layers.forEach(({ name }, number) => {
    const button = area.children[number]
    button.textContent = button.dataset.name = name
    button.setAttribute("aria-checked", String(name === open))
    button.tabIndex = name === open ? 0 : -1
  })
}

class Grid {
  constructor(scope, name) {
    this.scope = scope
    this.root = scope.find("template").content.firstElementChild.cloneNode(true)
    this.root.dataset.layer = name
    this.find = (part) => this.root.querySelector("." + part)
    this.tiles = new Map()
    listenToMaps(scope, this.find("grid"), "canvas[data-side]")
  }

  draw(layer) {
    this.layer = layer
    const absent = !layer.sides
    for (const part of ["grid", "scale"]) this.find(part).classList.toggle("hidden", absent)
    if (absent) {
      this.find("maps-name").textContent = layer.name
      this.find("maps-detail").textContent = ""
      this.find("marks").textContent = layer.absent
      this.find("beside").textContent = ""
      return
    }
    this.drawMaps()
    this.drawLegend()
    this.find("marks").textContent = this.marks()
    this.find("beside").textContent = this.kernelsBeside
      ? `Beside the number: the kernel, ±${this.scope.head.kernelLimit}.`
      : ""
  }

  get kernelsBeside() {
    return this.layer.whole && this.layer.sides[0].inputs === 1
  }

  drawMaps() {
    const { layer } = this,
      { head, paint } = this.scope,
      grid = this.find("grid")
    const shape = [layer.sides.length, layer.networks, this.kernelsBeside].join()
    if (shape !== this.shape || this.tiles.size !== layer.order.length) {
      this.shape = shape
      this.tiles.clear()
      grid.replaceChildren()
    }
    grid.classList.toggle("pairs", layer.sides.length > 1)
    grid.setAttribute(
      "aria-label",
      `All maps of ${layer.name}, ${layer.stage}: arrow keys move, Shift with them changes the channel`,
    )
    for (const [rank, channel] of layer.order.entries()) {
      if (!this.tiles.has(channel)) this.tiles.set(channel, this.tile(channel))
      const tile = this.tiles.get(channel)
      if (grid.children[rank] !== tile) grid.insertBefore(tile, grid.children[rank] ?? null)
      const limit = head.shared ? layer.limit() : layer.limit(channel)
      layer.sides.forEach((side, number) => {
        const canvas = tile.querySelector(`canvas[data-side="${number}"]`)
        paint.draw(canvas, side.map(channel, layer.stage), layer.width, limit, layer.signed)
        const kernel = tile.querySelector(`canvas[data-kernel="${number}"]`)
        if (kernel)
          paint.draw(kernel, side.slice(0, channel), side.kernelSize, head.kernelLimit, true)
      })
      this.label(tile, channel)
    }
  }

  tile(channel) {
    const { layer } = this,
      tile = document.createElement("div")
    tile.className = "tile"
    layer.sides.forEach((_, number) => tile.append(canvasOf({ side: number, channel })))
    const label = document.createElement("div")
    label.className = "label"
    label.append(document.createElement("span"))
    for (let number = 0; this.kernelsBeside && number < layer.networks; number++)
      label.append(canvasOf({ kernel: number }))
    const mark = document.createElement("span")
    mark.className = "mark"
    label.append(mark)
    tile.append(label)
    return tile
  }

  label(tile, channel) {
    const states = this.layer.sides.map((side) => side.states[channel])
    const marks = states.map((state) => MARKS[state] ?? "")
    tile.querySelector(".label span").textContent = String(channel)
    const both = marks.length > 1 ? marks.map((each) => each || "·").join("") : marks[0]
    tile.querySelector(".mark").textContent = [
      marks.some(Boolean) ? both : "",
      this.layer.notes[channel],
    ].join(" ")
    tile.title = `Channel ${channel}: ${states.map((state) => state || "active").join(", beside it ")}`
    tile.dataset.channel = channel
    tile.dataset.state = states[0]
  }

  drawLegend() {
    const { layer } = this,
      { head, paint } = this.scope,
      limit = written(layer.limit()),
      count = layer.sides[0].channels,
      pairs = layer.sides.length > 1
    const own = pairs ? "each channel on its own scale" : "each map on its own scale"
    paint.legend(this.find("ramp"), layer.signed)
    this.find("low").textContent =
      head.shared && layer.signed ? `−${limit}` : layer.signed ? "−" : "0"
    this.find("high").textContent = head.shared
      ? `${limit}, one scale for all ${count}`
      : `${layer.signed ? "+" : "its maximum"}: ${own}, strengths do not compare`
    this.find("maps-name").textContent = `${layer.name}, ${layer.stage}`
    const [left, right] = head.sides.map((side) => side.title)
    const beside = pairs ? ` · left ${left}, right ${right}` : right ? ` · ${left} only` : ""
    this.find("maps-detail").textContent =
      `· ${count} channels of ${layer.width} × ${layer.width}${beside}`
  }

  marks() {
    const { sides, whole } = this.layer
    const { counted } = this.scope.head
    const parts = Object.entries(MARKS).map(([state, symbol]) => {
      const counts = sides.map((side) => side.states.filter((each) => each === state).length)
      const mean = `${symbol} ${meaning(state, counted)} (${counts.join(" | ")})`
      return counts.some(Boolean) ? mean : ""
    })
    const rest = whole ? "" : "Kernels too large to send at once: click a map to fetch its own."
    const marks = parts.filter(Boolean).join(" · ")
    return [marks && `${marks}.`, rest].filter(Boolean).join(" ")
  }

  // Frame the map under the microscope, if it is one of these.
  mark({ layer, channel, side }) {
    const tile = layer === this.layer.name ? this.tiles.get(channel) : undefined
    if (this.chosen !== tile) this.chosen?.classList.remove("chosen")
    this.chosen = tile
    tile?.classList.add("chosen")
    for (const canvas of tile?.querySelectorAll("canvas[data-side]") ?? [])
      canvas.classList.toggle("live", Number(canvas.dataset.side) === side)
  }
}

function canvasOf(data) {
  const canvas = document.createElement("canvas")
  Object.assign(canvas.dataset, data)
  return canvas
}
