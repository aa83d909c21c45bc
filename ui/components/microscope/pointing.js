// Pointing: with the mouse, a finger or the arrow keys, on any pixel of any map.

function listen(scope) {
  const grid = scope.find("grid"),
    map = scope.find("map"),
    strip = scope.find("strip")
  for (const [area, own] of [
    [grid, "canvas[data-side]"],
    [map, "canvas"],
  ]) {
    area.onpointermove = (event) => point(scope, event, own, false)
    area.onpointerdown = (event) => point(scope, event, own, true)
    area.onkeydown = (event) => key(scope, event)
  }
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
}

function point(scope, event, own, pressed) {
  const canvas = event.target.closest(own)
  const mouse = event.pointerType === "mouse"
  if (!canvas || !scope.head || (!pressed && mouse && scope.pinned)) return
  const box = canvas.getBoundingClientRect(),
    { at } = scope
  const side = Number(canvas.dataset.side ?? at.side)
  const channel = Number(canvas.dataset.channel ?? at.channel)
  if (!scope.head.sides[side].knows(channel)) {
    if (pressed) scope.ask(channel)
    return
  }
  const pixel = (offset, length) =>
    Math.min(scope.width - 1, Math.max(0, Math.floor((offset / length) * scope.width)))
  const row = pixel(event.clientY - box.top, box.height)
  const column = pixel(event.clientX - box.left, box.width)
  const aim = spot(scope, side, channel, row, column)
  const same = Object.entries(aim).every(([name, value]) => at[name] === value)
  if (pressed && mouse) scope.pinned = !(scope.pinned && same)
  if (!same || pressed) scope.move(aim)
}

// The position in the map before pooling: of a pooled pixel, the one that won.
function spot(scope, side, channel, row, column) {
  if (!scope.pooled) return { side, channel, row, column }
  const own = scope.head.sides[side],
    size = own.pooling
  const { positions } = own.window(row * size, column * size)
  const values = positions.map(([y, x]) => own.value(channel, y, x).after)
  const [y, x] = positions[values.indexOf(Math.max(...values))]
  return { side, channel, row: y, column: x }
}

function key(scope, event) {
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
    event.key
  ]
  if (event.key === "Escape") {
    scope.pinned = false
    scope.move({})
  }
  if (!step || !scope.head) return
  event.preventDefault()
  const { at, side } = scope
  if (event.shiftKey) {
    const rank = scope.head.order.indexOf(at.channel) + step[0] + step[1]
    const channel = scope.head.order[rank]
    if (channel === undefined) return
    if (side.knows(channel)) scope.move({ channel })
    else scope.ask(channel)
    return
  }
  if (!scope.pooled) {
    scope.move({ row: at.row + step[0], column: at.column + step[1] })
    return
  }
  const inside = (value) => Math.min(scope.width - 1, Math.max(0, value))
  const row = inside(Math.floor(at.row / side.pooling) + step[0])
  const column = inside(Math.floor(at.column / side.pooling) + step[1])
  scope.move(spot(scope, at.side, at.channel, row, column))
}
