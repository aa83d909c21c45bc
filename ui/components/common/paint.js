// Values as colors: ink from paper at 0, signed from orange over paper to blue.

function channels(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16))
}

function ramp(stops) {
  const colors = stops.map(channels),
    table = new Uint8ClampedArray(256 * 3)
  for (let level = 0; level < 256; level++) {
    const at = (level / 255) * (stops.length - 1)
    const low = Math.min(Math.floor(at), stops.length - 2)
    for (let k = 0; k < 3; k++)
      table[level * 3 + k] = colors[low][k] + (colors[low + 1][k] - colors[low][k]) * (at - low)
  }
  return table
}

// A color from a value, a limit, and whether the scale is signed.
class Paint {
  constructor(colors) {
    this.ink = ramp([colors.paper, colors.ink])
    this.signed = ramp(colors.signed)
    this.dark = colors.ink
    this.light = colors.paper
  }

  level(value, limit, signed) {
    const share = signed ? (value / limit + 1) / 2 : value / limit
    return Math.round(255 * Math.min(1, Math.max(0, share)))
  }

  rgb(value, limit, signed) {
    const at = this.level(value, limit, signed) * 3
    return Array.from((signed ? this.signed : this.ink).subarray(at, at + 3))
  }

  // Values row by row, one pixel of the canvas each.
  draw(canvas, values, width, limit, signed) {
    const height = values.length / width
    if (canvas.width !== width) canvas.width = width
    if (canvas.height !== height) canvas.height = height
    const table = signed ? this.signed : this.ink
    const image = new ImageData(width, height)
    for (let at = 0; at < values.length; at++) {
      const level = this.level(values[at], limit, signed) * 3
      image.data[at * 4] = table[level]
      image.data[at * 4 + 1] = table[level + 1]
      image.data[at * 4 + 2] = table[level + 2]
      image.data[at * 4 + 3] = 255
    }
    canvas.getContext("2d").putImageData(image, 0, 0)
  }

  // An image for the eye, row by row: gray from paper to ink, three channels as the color they are.
  drawImage(canvas, values, { side, channels }, limit) {
    if (channels === 1) {
      this.draw(canvas, values, side, limit, false)
      return
    }
    if (canvas.width !== side) canvas.width = side
    if (canvas.height !== side) canvas.height = side
    const image = new ImageData(side, side)
    for (let at = 0; at < side * side; at++)
      image.data.set([...this.pixel(values, at, channels, limit), 255], at * 4)
    canvas.getContext("2d").putImageData(image, 0, 0)
  }

  // The color of pixel `at` of such an image.
  pixel(values, at, channels, limit) {
    if (channels === 1) return this.rgb(values[at], limit, false)
    const own = values.subarray(at * channels, (at + 1) * channels)
    return Array.from(own, (value) => this.level(value, limit, false))
  }

  css(value, limit, signed) {
    return `rgb(${this.rgb(value, limit, signed)})`
  }

  // The ramp itself, for the legend.
  legend(canvas, signed) {
    const values = Float32Array.from({ length: 128 }, (_, at) => at / 127)
    const image = new ImageData(128, 1)
    values.forEach((value, at) => {
      image.data.set([...this.rgb(signed ? value * 2 - 1 : value, 1, signed), 255], at * 4)
    })
    canvas.getContext("2d").putImageData(image, 0, 0)
  }

  // Background and readable text of a cell.
  cell(element, value, limit, signed) {
    const background = this.rgb(value, limit, signed)
    const brightness = (color) => 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    const own = brightness(background)
    const far = (color) => Math.abs(brightness(channels(color)) - own)
    element.style.background = `rgb(${background})`
    element.style.color = far(this.dark) > far(this.light) ? this.dark : this.light
  }
}

// For each pixel the value of the channel that has the largest magnitude, with its sign.
function strongest(values, channels) {
  if (channels === 1) return values
  return values.constructor.from({ length: values.length / channels }, (_, at) => {
    const own = values.subarray(at * channels, (at + 1) * channels)
    return own.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most))
  })
}

function written(value, decimals = 2) {
  const text = Math.abs(value).toFixed(decimals)
  return value < 0 && Number(text) !== 0 ? `−${text}` : text
}
