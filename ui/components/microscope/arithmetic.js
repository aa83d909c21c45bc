// What one network makes of one image in one layer; every number is computed here, from its arrays.

const TYPES = { float32: Float32Array, int8: Int8Array }

function readPackage(buffer) {
  const length = new DataView(buffer).getUint32(0, true)
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)))
  let offset = 4 + length
  const read = (type, shape) => {
    const size = shape.reduce((a, b) => a * b, 1) * TYPES[type].BYTES_PER_ELEMENT
    offset += size
    return new TYPES[type](buffer.slice(offset - size, offset))
  }
  const fill = (holder) => {
    for (const [name, type, shape] of holder.arrays) holder[name] = read(type, shape)
  }
  head.sides.forEach(fill)
  for (const header of head.layers.filter((layer) => layer.sides)) {
    header.sides = header.sides.map((side) => new Side(side, header))
    header.sides.forEach(fill)
    const kernels = header.sides.slice(0, header.networks).map((side) => read(...side.kernelShape))
    header.sides.forEach((side, number) => {
      side.kernel = kernels[number] ?? kernels[0]
    })
  }
  head.layers = head.layers.map((header) => new Layer(header))
  head.sent = new Map(
    head.layers.filter((layer) => layer.sides).map((layer) => [layer.name, layer]),
  )
  return head
}

// A convolution on one or two sides, at the stage that is shown; without sides it was not sent.
class Layer {
  constructor(header) {
    Object.assign(this, header)
  }

  get signed() {
    return this.stage === "before ReLU"
  }

  get pooled() {
    return this.stage === "after pooling"
  }

  // How many pixels of the shown maps lie side by side.
  get width() {
    const [{ side, pooling }] = this.sides
    return this.pooled ? Math.floor(side / pooling) : side
  }

  // The largest magnitude on all sides, of a channel or of all.
  limit(channel, stage = this.stage) {
    return Math.max(...this.sides.map((side) => side.limit(stage, channel)))
  }
}

class Side {
  constructor(header, layer) {
    Object.assign(this, header)
    this.kernelChannel = layer.whole ? null : layer.channel
  }

  // Type and shape of the kernels that were sent.
  get kernelShape() {
    const { kernelSize, inputs, kernelChannels } = this
    return ["float32", [kernelSize, kernelSize, inputs, kernelChannels]]
  }

  get kernelChannels() {
    return this.kernelChannel === null ? this.channels : 1
  }

  // Whether the kernels of this channel were sent.
  knows(channel) {
    return this.kernelChannel === null || this.kernelChannel === channel
  }

  weight(dy, dx, input, channel) {
    const at = (dy * this.kernelSize + dx) * this.inputs + input
    return this.kernel[at * this.kernelChannels + (this.kernelChannel === null ? channel : 0)]
  }

  // The weights of a channel's kernel for one input channel, row by row.
  slice(input, channel) {
    const places = [...Array(this.kernelSize).keys()]
    return places.flatMap((dy) => places.map((dx) => this.weight(dy, dx, input, channel)))
  }

  // The input under the kernel at a position, null beyond the border.
  under(row, column, dy, dx, input) {
    const y = row * this.stride - this.padding + dy
    const x = column * this.stride - this.padding + dx
    if (y < 0 || x < 0 || y >= this.sourceSide || x >= this.sourceSide) return null
    return this.source[(y * this.sourceSide + x) * this.inputs + input]
  }

  // What each input channel adds to the sum at a position.
  contributions(channel, row, column) {
    const found = new Float64Array(this.inputs)
    for (let dy = 0; dy < this.kernelSize; dy++)
      for (let dx = 0; dx < this.kernelSize; dx++)
        for (let input = 0; input < this.inputs; input++) {
          const value = this.under(row, column, dy, dx, input)
          if (value) found[input] += value * this.weight(dy, dx, input, channel)
        }
    return found
  }

  // Sum, sum + bias, normalized, what a shortcut adds, the value before ReLU and that after it.
  value(channel, row, column) {
    const contributions = this.contributions(channel, row, column)
    const sum = contributions.reduce((a, b) => a + b, 0)
    const biased = sum + this.bias[channel]
    const normalized = this.scale[channel] * biased + this.shift[channel]
    const added = this.added?.[(row * this.side + column) * this.channels + channel] ?? 0
    const before = normalized + added
    return { contributions, sum, biased, normalized, added, before, after: Math.max(0, before) }
  }

  // The positions that share a position's pooling window, null where pooling leaves it over.
  window(row, column) {
    const size = this.pooling
    const top = Math.floor(row / size),
      left = Math.floor(column / size)
    const pooledSide = Math.floor(this.side / size)
    if (!size || top >= pooledSide || left >= pooledSide) return null
    const positions = []
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) positions.push([top * size + y, left * size + x])
    return { top, left, pooledSide, positions }
  }

  // A map for the eye: the bytes that were sent, as values.
  map(channel, stage) {
    const area = this.side * this.side,
      values = new Float32Array(area)
    const up = this.high[channel] / 127,
      down = -this.low[channel] / 127
    for (let at = 0; at < area; at++) {
      const level = this.maps[channel * area + at]
      values[at] = level > 0 ? level * up : stage === "before ReLU" ? level * down : 0
    }
    return stage === "after pooling" ? this.pool(values) : values
  }

  // What pooling makes of the values of one window.
  pooledOf(values) {
    if (this.averages) return values.reduce((a, b) => a + b, 0) / values.length
    return Math.max(...values)
  }

  pool(values) {
    const size = this.pooling,
      side = Math.floor(this.side / size)
    return Float32Array.from({ length: side * side }, (_, at) => {
      const { positions } = this.window(Math.floor(at / side) * size, (at % side) * size)
      return this.pooledOf(positions.map(([y, x]) => values[y * this.side + x]))
    })
  }

  // The largest magnitude that a channel, or without one any channel, shows at a stage.
  limit(stage, channel) {
    const channels = channel === undefined ? [...Array(this.channels).keys()] : [channel]
    const sizes = channels.map((each) =>
      stage === "before ReLU" ? Math.max(this.high[each], -this.low[each]) : this.high[each],
    )
    return Math.max(1e-6, ...sizes)
  }

  // Where a channel's map is largest.
  strongest(channel) {
    const area = this.side * this.side
    const map = this.maps.subarray(channel * area, (channel + 1) * area)
    const at = map.indexOf(map.reduce((a, b) => Math.max(a, b), -128))
    return [Math.floor(at / this.side), at % this.side]
  }
}
