// What Python packed: a header, and for each track its steps, logits, probabilities, numbers, frames.

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
  head.tracks = head.tracks.map((track) => new Track(track, head.images, take))
  return head
}

class Track {
  constructor(head, { side, channels, classes }, take) {
    Object.assign(this, head)
    this.channels = channels
    this.size = side * side * channels
    this.classes = classes.length
    this.steps = take(this.frames, Float32Array)
    this.logits = take(this.frames * this.classes, Float32Array)
    this.probabilities = take(this.frames * this.classes, Float32Array)
    const curve = (name) => ({ name, values: take(this.frames, Float32Array) })
    this.terms = this.terms.map(curve)
    this.norms = this.norms.map(curve)
    const { size } = this
    this.pixels = take(this.frames * size, Uint8Array)
    for (let at = size; at < this.pixels.length; at++) this.pixels[at] += this.pixels[at - size]
  }

  image(frame) {
    return this.pixels.subarray(frame * this.size, (frame + 1) * this.size)
  }

  // Now minus the start, −255 to 255; of a pixel's channels the one that changed most.
  change(frame) {
    const now = this.image(frame)
    const change = Int16Array.from(now, (value, at) => value - this.pixels[at])
    return strongest(change, this.channels)
  }

  // Of all classes at one frame.
  all(values, frame) {
    return values.subarray(frame * this.classes, (frame + 1) * this.classes)
  }

  predicted(frame) {
    const logits = this.all(this.logits, frame)
    return logits.indexOf(Math.max(...logits))
  }

  // One class over all frames.
  course(values, label) {
    return Float32Array.from(this.steps, (_, frame) => values[frame * this.classes + label])
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
