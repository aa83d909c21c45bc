// The pad counts its sides in 280 units, ten for a pixel of MNIST, and keeps every stroke, so that
// undo and a change of theme draw them all anew. What Python gets is a PNG of white ink on black.
const SIDE = 280
const PAUSE = 100 // milliseconds between two pictures of a stroke that is still being drawn
const PATIENCE = 1000 // milliseconds without an answer before the pad says so
const pads = new WeakMap()

export default function ({ data, parentElement, setStateValue }) {
  let pad = pads.get(parentElement)
  if (!pad) {
    pad = createPad(parentElement)
    pads.set(parentElement, pad)
  }
  pad.colors = data.colors
  pad.setStateValue = setStateValue
  pad.answered = data.number
  if (pad.answered === pad.sent) pad.wait.textContent = ""
  pad.canvas.style.background = data.colors.paper
  show(pad)
  if (pad.stroke && pad.unsent) sendSoon(pad)
  return () => {
    clearTimeout(pad.timer)
    clearTimeout(pad.patience)
  }
}

function createPad(root) {
  const find = (name) => root.querySelector(name)
  const pad = {
    canvas: find(".paper"),
    brush: find(".brush input"),
    eraser: find(".eraser"),
    undo: find(".undo"),
    clear: find(".clear"),
    hint: find(".hint"),
    wait: find(".wait"),
    strokes: [], // each { erases, width, points: [[x, y], …] }
    stroke: null, // the one under the pen
    pointer: null,
    sent: 0,
    sentAt: 0,
    answered: 0,
    unsent: false,
    timer: 0,
    patience: 0,
  }
  pad.canvas.onpointerdown = (event) => begin(pad, event)
  pad.canvas.onpointermove = (event) => follow(pad, event)
  pad.canvas.onpointerup = (event) => finish(pad, event)
  pad.canvas.onpointercancel = (event) => finish(pad, event)
  pad.eraser.onclick = () => {
    pad.eraser.setAttribute("aria-pressed", String(!erases(pad)))
  }
  pad.undo.onclick = () => change(pad, pad.strokes.slice(0, -1))
  pad.clear.onclick = () => change(pad, [])
  return pad
}

function erases(pad) {
  return pad.eraser.getAttribute("aria-pressed") === "true"
}

function begin(pad, event) {
  if (pad.stroke || event.button !== 0) return // a second finger draws nothing
  event.preventDefault()
  pad.pointer = event.pointerId
  pad.canvas.setPointerCapture(event.pointerId)
  pad.stroke = { erases: erases(pad), width: Number(pad.brush.value), points: [] }
  pad.strokes.push(pad.stroke)
  extend(pad, event)
}

function follow(pad, event) {
  if (pad.stroke && event.pointerId === pad.pointer) extend(pad, event)
}

function finish(pad, event) {
  if (!pad.stroke || event.pointerId !== pad.pointer) return
  pad.stroke = null
  pad.pointer = null
  show(pad)
  if (pad.unsent) send(pad)
}

function extend(pad, event) {
  const box = pad.canvas.getBoundingClientRect()
  const between = event.getCoalescedEvents ? event.getCoalescedEvents() : []
  for (const { clientX, clientY } of between.length ? between : [event]) {
    const x = ((clientX - box.left) / box.width) * SIDE
    const y = ((clientY - box.top) / box.height) * SIDE
    pad.stroke.points.push([x, y])
  }
  pad.unsent = true
  show(pad)
  sendSoon(pad)
}

function change(pad, strokes) {
  if (!pad.strokes.length) return
  pad.strokes = strokes
  show(pad)
  send(pad)
}

function show(pad) {
  const context = pad.canvas.getContext("2d")
  const scale = pad.canvas.width / SIDE
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, SIDE, SIDE)
  paint(context, pad.strokes, pad.colors.ink)
  pad.hint.hidden = pad.strokes.length > 0
  for (const button of [pad.undo, pad.clear]) {
    button.ariaDisabled = String(!pad.strokes.length) // disabled itself, it would drop the focus
  }
}

function paint(context, strokes, color) {
  context.lineCap = context.lineJoin = "round"
  context.strokeStyle = context.fillStyle = color
  for (const { erases, width, points } of strokes) {
    context.globalCompositeOperation = erases ? "destination-out" : "source-over"
    context.lineWidth = width
    context.beginPath()
    if (points.length === 1) {
      context.arc(...points[0], width / 2, 0, 2 * Math.PI)
      context.fill()
    } else {
      for (const point of points) context.lineTo(...point)
      context.stroke()
    }
  }
  context.globalCompositeOperation = "source-over"
}

// While the pen is down: only when the last picture has been answered, and not too often.
function sendSoon(pad) {
  clearTimeout(pad.timer)
  if (pad.answered !== pad.sent) return
  const wait = pad.sentAt + PAUSE - performance.now()
  if (wait <= 0) send(pad)
  else pad.timer = setTimeout(() => pad.unsent && send(pad), wait)
}

function send(pad) {
  clearTimeout(pad.timer)
  pad.unsent = false
  pad.sentAt = performance.now()
  pad.sent += 1
  pad.setStateValue("drawing", { number: pad.sent, png: picture(pad.strokes) })
  clearTimeout(pad.patience)
  pad.patience = setTimeout(() => {
    if (pad.answered !== pad.sent) pad.wait.textContent = "Waiting for the model"
  }, PATIENCE)
}

function picture(strokes) {
  if (!strokes.length) return ""
  const canvas = document.createElement("canvas")
  canvas.width = canvas.height = SIDE
  const context = canvas.getContext("2d")
  paint(context, strokes, "white")
  context.globalCompositeOperation = "destination-over"
  context.fillStyle = "black"
  context.fillRect(0, 0, SIDE, SIDE)
  return canvas.toDataURL("image/png")
}
