// What a PNG says of itself: an iTXt chunk under “Convscope”, as core/data/provenance.py reads it.

const BEHIND_HEADER = 33 // the signature and IHDR

async function withText(blob, about) {
  const bytes = new Uint8Array(await blob.arrayBuffer())
  const text = new TextEncoder().encode(JSON.stringify(about))
  const content = [...new TextEncoder().encode("iTXtConvscope"), 0, 0, 0, 0, 0, ...text]
  const chunk = [...bigEndian(content.length - 4), ...content, ...bigEndian(checksum(content))]
  return new Blob(
    [bytes.subarray(0, BEHIND_HEADER), Uint8Array.from(chunk), bytes.subarray(BEHIND_HEADER)],
    { type: "image/png" },
  )
}

function bigEndian(number) {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255)
}

// CRC-32 as PNG has it.
function checksum(bytes) {
  let rest = ~0
  for (const byte of bytes) {
    rest ^= byte
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0)
  }
  return ~rest >>> 0
}
