const assert = require("node:assert/strict")
const test = require("node:test")
const { scope } = require("./scope.js")

const { withText, checksum, bigEndian } = scope(
  ["player/png.js"],
  ["withText", "checksum", "bigEndian"],
)

test("the checksum is PNG's: that of an empty IEND chunk is in its specification", () => {
  assert.equal(checksum(new TextEncoder().encode("IEND")), 0xae426082)
})

test("numbers are written with their largest byte first", () => {
  assert.deepEqual(bigEndian(0x01020304), [1, 2, 3, 4])
})

test("the text stands behind the header, in a chunk of its length", async () => {
  const picture = Uint8Array.from({ length: 40 }, (_, at) => at)
  const blob = await withText(new Blob([picture]), { model: "Model 1" })
  const bytes = new Uint8Array(await blob.arrayBuffer())
  const length = new DataView(bytes.buffer).getUint32(33)
  assert.equal(bytes.length, 40 + 12 + length)
  assert.deepEqual(bytes.slice(0, 33), picture.slice(0, 33))
  assert.deepEqual(bytes.slice(-7), picture.slice(-7))
  const content = new TextDecoder().decode(bytes.slice(37, 41 + length))
  assert.ok(content.startsWith("iTXtConvscope"))
  assert.ok(content.endsWith('{"model":"Model 1"}'))
})
