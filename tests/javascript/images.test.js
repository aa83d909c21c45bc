const assert = require("node:assert/strict")
const test = require("node:test")
const { scope } = require("./scope.js")

const { Paint, strongest } = scope(["common/paint.js"], ["Paint", "strongest"])
const { Track } = scope(["common/paint.js", "player/package.js"], ["Track"])
const paint = new Paint({ paper: "#ffffff", ink: "#000000", signed: ["#ff8000", "#0000ff"] })
const COLORS = { side: 2, channels: 3, classes: ["oval", "ring"] }

test("three channels are the color itself, one runs from paper to ink", () => {
  assert.deepEqual(paint.pixel(Uint8Array.of(9, 9, 9, 255, 0, 51), 1, 3, 255), [255, 0, 51])
  assert.deepEqual(paint.pixel(Float32Array.of(0, 1), 1, 1, 1), [0, 0, 0])
})

test("of a pixel's channels the one that changed most is shown, with its sign", () => {
  assert.deepEqual([...strongest(Int16Array.of(3, -9, 5, 0, 0, 2), 3)], [-9, 2])
  const gray = Int16Array.of(1, 2)
  assert.equal(strongest(gray, 1), gray)
})

test("a track takes side, channels and classes from its package", () => {
  const arrays = [
    Float32Array.of(0, 1), // steps
    Float32Array.of(2, 1, 1, 3), // logits: frames × classes
    Float32Array.of(0.7, 0.3, 0.1, 0.9),
    Uint8Array.from({ length: 24 }, (_, at) => (at < 12 ? 10 : at === 13 ? 250 : 0)),
  ]
  const take = (count, Type) => {
    const next = arrays.shift()
    assert.ok(next instanceof Type)
    assert.equal(next.length, count)
    return next
  }
  const track = new Track({ frames: 2, terms: [], norms: [] }, COLORS, take)
  assert.deepEqual([track.predicted(0), track.predicted(1)], [0, 1])
  assert.deepEqual([...track.course(track.logits, 1)], [1, 3])
  assert.deepEqual([...track.change(1)], [-6, 0, 0, 0]) // 250 is −6: differences wrap at 256
})
