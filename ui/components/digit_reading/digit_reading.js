// What a network reads: ten bars, and the steps from the drawing to the image as small pictures.
export default function ({ data, parentElement }) {
  const reading = parentElement.querySelector(".reading")
  reading.style.setProperty("--pointer", data.colors.pointer)
  const [bold, quiet] = reading.querySelector(".finding").children
  bold.textContent = data.finding
  quiet.textContent = data.detail
  showBars(reading.querySelector(".bars"), data)
  reading.querySelector(".steps").replaceChildren(...data.steps.map((step) => tile(step, data.colors)))
}

function showBars(list, { probabilities, predicted, colors }) {
  while (list.children.length < 10) list.append(emptyRow())
  for (const [number, row] of [...list.children].entries()) {
    const p = probabilities ? probabilities[number] : 0
    const isPredicted = number === predicted
    const [label, track, value] = row.children
    row.classList.toggle("predicted", isPredicted)
    label.textContent = number
    value.textContent = p >= 0.0005 ? p.toFixed(3) : ""
    track.style.background = colors.track
    track.firstChild.style.width = `${100 * p}%`
    track.firstChild.style.background = isPredicted ? colors.ink : colors.other
  }
}

function emptyRow() {
  const row = document.createElement("li")
  const [label, track, value] = ["label", "track", "value"].map((name) => element("span", name))
  track.append(element("div", "bar"))
  row.append(label, track, value)
  return row
}

function element(tag, name, text = "") {
  const made = document.createElement(tag)
  made.className = name
  made.textContent = text
  return made
}

function tile(step, colors) {
  const figure = document.createElement("figure")
  const frame = element("div", "tile")
  const size = (pixels) => `calc(${pixels * step.scale} * var(--pixel))`
  frame.style.width = size(step.width)
  frame.style.height = size(step.height)
  figure.style.width = size(Math.max(step.width, step.height))
  frame.append(picture(step, colors))
  if (step.mass) {
    const ring = element("i", "mass")
    ring.style.top = `${(100 * (step.mass[0] + 0.5)) / step.height}%`
    ring.style.left = `${(100 * (step.mass[1] + 0.5)) / step.width}%`
    frame.append(ring)
  }
  if (step.cross) frame.append(element("i", "across"), element("i", "down"))
  const caption = document.createElement("figcaption")
  caption.append(element("b", "", step.title), element("span", "", step.caption))
  figure.append(frame, caption)
  return figure
}

function picture({ width, height, pixels, title }, colors) {
  const canvas = document.createElement("canvas")
  Object.assign(canvas, { width, height, role: "img", ariaLabel: title })
  const context = canvas.getContext("2d")
  const image = context.createImageData(width, height)
  const [paper, ink] = [channels(colors.paper), channels(colors.ink)]
  const bytes = atob(pixels)
  for (let pixel = 0; pixel < bytes.length; pixel++) {
    const share = bytes.charCodeAt(pixel) / 255
    for (let c = 0; c < 3; c++) {
      image.data[4 * pixel + c] = paper[c] + share * (ink[c] - paper[c])
    }
    image.data[4 * pixel + 3] = 255
  }
  context.putImageData(image, 0, 0)
  return canvas
}

function channels(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16))
}
