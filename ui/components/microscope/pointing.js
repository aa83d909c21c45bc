// Pointing: with the mouse, a finger or the arrow keys, on any pixel of any map of any layer.

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }

function listen(scope) {
  const strip = scope.find("strip"),
    layers = scope.find("layers")
  listenToMaps(scope, scope.find("map"), "canvas")
  strip.onclick = (event) => {
    const cell = event.target.closest("[data-input]")
    if (cell) scope.move({ input: Number(cell.dataset.input) })
  }
  strip.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (!step) return
    event.preventDefault()
    const input = scope.at.input + step
    if (input >= 0 && input < scope.side.inputs) scope.move({ input })
  }
  layers.onclick = (event) => {
    const button = event.target.closest("button")
    if (button) scope.enlarge(button.dataset.name)
  }
  layers.onkeydown = (event) => switchByKey(scope, event)
  scope.root.onpointerleave = () => scope.leave()
  scope.root.addEventListener("focusout", (event) => {
    if (!scope.root.contains(event.relatedTarget)) scope.leave()
  })
}

function listenToMaps(scope, area, own) {
  area.onpointermove = (event) => point(scope, event, own, false)
  area.onpointerdown = (event) => point(scope, event, own, true)
  area.onkeydown = (event) => key(scope, event)
}

function switchByKey(scope, event) {
  const step = STEPS[event.key]
  if (!step) return
  event.preventDefault()
  const buttons = [...event.currentTarget.children]
  const next = buttons[buttons.indexOf(event.target) + step[0] + step[1]]
  if (!next) return
  scope.enlarge(next.dataset.name)
  next.focus()
}

function point(scope, event, own, pressed) {
  const canvas = event.target.closest(own)
  const mouse = event.pointerType === "mouse"
  if (!canvas || !scope.head || (!pressed && mouse && scope.pinned)) return
  const name = canvas.closest(".maps")?.dataset.layer ?? scope.at.layer
  const layer = scope.head.sent.get(name)
  const side = Number(canvas.dataset.side ?? scope.at.side)
  const channel = Number(canvas.dataset.channel ?? scope.at.channel)
  if (!layer.sides[side].knows(channel)) {
    if (pressed) scope.ask(name, channel)
    return
  }
  const box = canvas.getBoundingClientRect()
  const pixel = (offset, length) =>
    Math.min(layer.width - 1, Math.max(0, Math.floor((offset / length) * layer.width)))
  const row = pixel(event.clientY - box.top, box.height)
  const column = pixel(event.clientX - box.left, box.width)
  const aim = spot(layer, side, channel, row, column)
  const same = Object.entries(aim).every(([part, value]) => scope.at[part] === value)
  if (pressed && mouse) scope.pinned = !(scope.pinned && same)
  if (!same || pressed) scope.move(aim)
}

// The position in the map before pooling: of a pooled pixel, the one that is largest.
function spot(layer, side, channel, row, column) {
  const aim = { layer: layer.name, side, channel, row, column }
  if (!layer.pooled) return aim
  const own = layer.sides[side],
    size = own.pooling
  const { positions } = own.window(row * size, column * size)
  const values = positions.map(([y, x]) => own.value(channel, y, x).after)
  const [y, x] = positions[values.indexOf(Math.max(...values))]
  return { ...aim, row: y, column: x }
}

function key(scope, event) {
  if (event.key === "Escape") {
    scope.pinned = false
    scope.move({})
  }
  const step = STEPS[event.key]
  if (!step || !scope.head) return
  event.preventDefault()
  const name = event.currentTarget.closest(".maps")?.dataset.layer
  if (name && name !== scope.at.layer) {
    scope.move({ layer: name })
    return
  }
  if (event.shiftKey) {
    stepChannel(scope, step[0] + step[1])
    return
  }
  const { at, layer, side } = scope
  if (!layer.pooled) {
    scope.move({ row: at.row + step[0], column: at.column + step[1] })
    return
  }
  const inside = (value) => Math.min(layer.width - 1, Math.max(0, value))
  const row = inside(Math.floor(at.row / side.pooling) + step[0])
  const column = inside(Math.floor(at.column / side.pooling) + step[1])
  scope.move(spot(layer, at.side, at.channel, row, column))
}

function stepChannel(scope, step) {
  const { at, layer, side } = scope
  const channel = layer.order[layer.order.indexOf(at.channel) + step]
  if (channel === undefined) return
  if (side.knows(channel)) scope.move({ channel })
  else scope.ask(at.layer, channel)
}
