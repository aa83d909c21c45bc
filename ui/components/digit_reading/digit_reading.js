// What a network reads: ten bars, and the steps from the drawing to the image as small pictures.
export default function ({ data, parentElement }) {
  const reading = parentElement.querySelector(".reading")
  reading.style.setProperty("--pointer", data.colors.pointer)
  const [bold, quiet] = reading.querySelector(".finding").children
  bold.textContent = data.finding
  quiet.textContent = data.detail
  drawBars(reading.querySelector(".class-bars"), data)
  reading
    .querySelector(".steps")
    .replaceChildren(...data.steps.map((step) => tile(step, data.colors)))
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

function picture({ width, pixels, title }, colors) {
  const canvas = document.createElement("canvas")
  Object.assign(canvas, { role: "img", ariaLabel: title })
  const values = Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt(0))
  new Paint(colors).draw(canvas, values, width, 255, false)
  return canvas
}
