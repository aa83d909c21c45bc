// What Python packed: a header, and for each track its steps, logits, probabilities, numbers, frames.

const PIXELS = 28 * 28

async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))
  const buffer = await new Response(stream).arrayBuffer()
  const length = new DataView(buffer).getUint32(0, true)
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)))
  let at = 4 + length
  const take = (count, Type) => {
    const size = count * Type.BYTES_PER_ELEMENT
    at += size
    return new Type(buffer.slice(at - size, at))
  }
  head.tracks = head.tracks.map((track) => new Track(track, take))
  return head
}

class Track {
  constructor(head, take) {
    Object.assign(this, head)
    this.steps = take(this.frames, Float32Array)
    this.logits = take(this.frames * 10, Float32Array)
    this.probabilities = take(this.frames * 10, Float32Array)
    const curve = (name) => ({ name, values: take(this.frames, Float32Array) })
    this.terms = this.terms.map(curve)
    this.norms = this.norms.map(curve)
    this.pixels = take(this.frames * PIXELS, Uint8Array)
    for (let at = PIXELS; at < this.pixels.length; at++) this.pixels[at] += this.pixels[at - PIXELS]
  }

  image(frame) {
    return this.pixels.subarray(frame * PIXELS, (frame + 1) * PIXELS)
  }

  // Now minus the start, −255 to 255.
  change(frame) {
    const now = this.image(frame)
    return Int16Array.from(now, (value, at) => value - this.pixels[at])
  }

  ten(values, frame) {
    return values.subarray(frame * 10, (frame + 1) * 10)
  }

  predicted(frame) {
    const logits = this.ten(this.logits, frame)
    return logits.indexOf(Math.max(...logits))
  }

  // One class over all frames.
  course(values, label) {
    return Float32Array.from(this.steps, (_, frame) => values[frame * 10 + label])
  }
}

// All recorded steps of all tracks, and the frame that each track shows at each of them.
function inStep(tracks) {
  const steps = [...new Set(tracks.flatMap((track) => [...track.steps]))].sort((a, b) => a - b)
  for (const track of tracks) {
    let frame = 0
    track.at = steps.map((step) => {
      while (frame + 1 < track.frames && track.steps[frame + 1] <= step) frame++
      return frame
    })
  }
  return steps
}
