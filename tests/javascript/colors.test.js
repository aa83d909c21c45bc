const assert = require("node:assert/strict")
const test = require("node:test")
const { scope } = require("./scope.js")

const { Paint, written } = scope(["common/paint.js"], ["Paint", "written"])
const paint = new Paint({
  paper: "#ffffff",
  ink: "#000000",
  signed: ["#ff8000", "#ffffff", "#0000ff"],
})

test("ink runs from paper at 0 to full ink at the limit", () => {
  assert.deepEqual(paint.rgb(0, 2, false), [255, 255, 255])
  assert.deepEqual(paint.rgb(2, 2, false), [0, 0, 0])
  assert.deepEqual(paint.rgb(1, 2, false), [127, 127, 127])
})

test("signed values run from orange over paper to blue", () => {
  assert.deepEqual(paint.rgb(-3, 3, true), [255, 128, 0])
  assert.deepEqual(paint.rgb(3, 3, true), [0, 0, 255])
  const middle = paint.rgb(0, 3, true)
  assert.ok(middle.every((channel) => channel >= 253))
})

test("beyond the limit the color stays", () => {
  assert.deepEqual(paint.rgb(9, 2, false), paint.rgb(2, 2, false))
  assert.deepEqual(paint.rgb(-9, 2, true), paint.rgb(-2, 2, true))
})

test("a cell's text is the one that can be read on its color", () => {
  const cell = { style: {} }
  paint.cell(cell, 0, 1, false)
  assert.equal(cell.style.color, "#000000")
  paint.cell(cell, 1, 1, false)
  assert.equal(cell.style.color, "#ffffff")
})

test("negative numbers have a minus, and what rounds to zero has none", () => {
  assert.equal(written(-1.234), "−1.23")
  assert.equal(written(-0.001), "0.00")
  assert.equal(written(12.5, 0), "13")
})
