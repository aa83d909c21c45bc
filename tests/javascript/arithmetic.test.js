const assert = require("node:assert/strict")
const test = require("node:test")
const { scope } = require("./scope.js")

const { Side, Layer, readPackage } = scope(
  ["microscope/arithmetic.js"],
  ["Side", "Layer", "readPackage"],
)

// One output channel of a 3 × 3 convolution, padded by one, on a 4 × 4 image of two channels.
function side(changes = {}) {
  const header = {
    kernelSize: 3,
    inputs: 2,
    channels: 1,
    stride: 1,
    padding: 1,
    pooling: 2,
    side: 4,
    sourceSide: 4,
    bias: [0.5],
    scale: [2],
    shift: [-1],
    high: [12.7],
    low: [-12.7],
    source: Float32Array.from({ length: 32 }, (_, at) => at % 7),
    ...changes,
  }
  const made = new Side(header, { whole: true })
  made.kernel = Float32Array.from({ length: 18 }, (_, at) => at - 9)
  return made
}

// The sum by the definition, pixel by pixel.
function expected(made, row, column) {
  let sum = 0
  for (let dy = -1; dy <= 1; dy++)
    for (let dx = -1; dx <= 1; dx++)
      for (let input = 0; input < 2; input++) {
        const [y, x] = [row + dy, column + dx]
        if (y < 0 || x < 0 || y > 3 || x > 3) continue
        sum +=
          made.source[(y * 4 + x) * 2 + input] * made.kernel[((dy + 1) * 3 + dx + 1) * 2 + input]
      }
  return sum
}

test("a pixel's arithmetic is patch × kernel, bias, normalization, ReLU", () => {
  const made = side()
  for (const [row, column] of [
    [0, 0],
    [1, 2],
    [3, 3],
  ]) {
    const { contributions, sum, biased, before, after } = made.value(0, row, column)
    assert.equal(sum, expected(made, row, column))
    assert.equal(contributions.length, 2)
    assert.equal(biased, sum + 0.5)
    assert.equal(before, 2 * biased - 1)
    assert.equal(after, Math.max(0, before))
  }
})

test("a shortcut's maps are added behind the normalization", () => {
  const added = Float32Array.from({ length: 16 }, (_, at) => at / 4)
  const { normalized, before } = side({ added }).value(0, 1, 2)
  assert.equal(before, normalized + 6 / 4)
  assert.equal(side().value(0, 1, 2).before, normalized)
})

test("average pooling passes on the mean of each window", () => {
  const made = side({ averages: true })
  const values = Float32Array.from({ length: 16 }, (_, at) => at)
  assert.deepEqual([...made.pool(values)], [2.5, 4.5, 10.5, 12.5])
})

test("beyond the border there is nothing", () => {
  assert.equal(side().under(0, 0, 0, 1, 0), null)
  assert.equal(side().under(0, 0, 1, 1, 1), 1)
})

test("strides move the patch", () => {
  assert.equal(side({ stride: 2, padding: 0 }).under(1, 1, 0, 0, 0), ((2 * 4 + 2) * 2) % 7)
})

test("a pooling window holds its positions, and what is left over has none", () => {
  const made = side({ side: 5 })
  assert.deepEqual(made.window(2, 3), {
    top: 1,
    left: 1,
    pooledSide: 2,
    positions: [
      [2, 2],
      [2, 3],
      [3, 2],
      [3, 3],
    ],
  })
  assert.equal(made.window(4, 0), null)
  assert.equal(side({ pooling: 0 }).window(0, 0), null)
})

test("maps come back from their bytes, cut at 0 behind ReLU, and pooled to their largest", () => {
  const made = side()
  made.maps = Int8Array.from({ length: 16 }, (_, at) => (at - 8) * 10)
  const before = made.map(0, "before ReLU")
  assert.ok(Math.abs(before[0] + 8) < 1e-5)
  assert.ok(Math.abs(before[15] - 7) < 1e-5)
  assert.equal(made.map(0, "after ReLU")[0], 0)
  assert.deepEqual([...made.map(0, "after pooling")].map(Math.round), [0, 0, 5, 7])
  assert.deepEqual(made.strongest(0), [3, 3])
})

test("a scale is that of all sides, signed only before ReLU", () => {
  const layer = new Layer({
    stage: "after ReLU",
    sides: [side(), side({ high: [20], low: [-30] })],
  })
  assert.equal(layer.limit(), 20)
  assert.equal(layer.limit(0, "before ReLU"), 30)
  assert.equal(layer.signed, false)
})

test("a package is a header and its arrays, in order", () => {
  const head = JSON.stringify({ sides: [{ arrays: [["image", "float32", [2, 1]]] }], layers: [] })
  const text = new TextEncoder().encode(head)
  const padded = new Uint8Array(4 + text.length + 8)
  new DataView(padded.buffer).setUint32(0, text.length, true)
  padded.set(text, 4)
  padded.set(new Uint8Array(Float32Array.of(0.25, 1).buffer), 4 + text.length)
  const found = readPackage(padded.buffer)
  assert.deepEqual([...found.sides[0].image], [0.25, 1])
  assert.equal(found.sent.size, 0)
})
