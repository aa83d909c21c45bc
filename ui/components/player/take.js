// What a person takes from the player: the frame that is shown, as a picture.

const LARGE = 560 // pixels of a side, or nearly: each of the image's is a whole number of them

const enlarged = (side) => side * Math.max(1, Math.round(LARGE / side))

// Exact pixels as the network reads them, or as shown and enlarged.
function framePicture(player, exact) {
  const { track, frame, paint } = player
  const { side, channels } = player.head.images
  const picture = document.createElement("canvas")
  if (exact) {
    picture.width = picture.height = side
    const data = new ImageData(side, side)
    const values = track.image(frame)
    for (let at = 0; at < side * side; at++)
      for (let k = 0; k < 4; k++)
        data.data[4 * at + k] = k === 3 ? 255 : values[at * channels + (channels === 1 ? 0 : k)]
    picture.getContext("2d").putImageData(data, 0, 0)
  } else {
    const small = document.createElement("canvas")
    paint.drawImage(small, track.image(frame), player.head.images, 255)
    picture.width = picture.height = enlarged(side)
    const context = picture.getContext("2d")
    context.imageSmoothingEnabled = false
    context.drawImage(small, 0, 0, picture.width, picture.height)
  }
  return new Promise((resolve) => picture.toBlob(resolve, "image/png"))
}

async function saveFrame(player, exact) {
  const { track, frame } = player
  const name = track.title.toLowerCase().replace(/[^a-z0-9]+/g, "-") || "frame"
  const own = player.head.images.side
  const side = exact ? own : enlarged(own)
  const link = document.createElement("a")
  const picture = await withText(await framePicture(player, exact), told(player))
  link.href = URL.createObjectURL(picture)
  link.download = `${name}-iteration-${track.steps[frame]}-${side}.png`.replace(/^-/, "")
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

function told({ head, track, frame }) {
  const predicted = track.predicted(frame)
  const p = track.all(track.probabilities, frame)[predicted].toFixed(3)
  const rounded = isLast(track, frame) && track.cost ? { rounded: track.cost } : {}
  const read = {
    iteration: track.steps[frame],
    "read as": readAs(head.images.classes[predicted]),
    p,
  }
  return { ...track.about, ...read, ...rounded }
}

// The name of a class, as a number if it is one.
const readAs = (name) => (String(Number(name)) === name ? Number(name) : name)

const isLast = (track, frame) => frame === track.frames - 1

async function copyFrame(player) {
  const button = player.find("copy")
  try {
    const item = new ClipboardItem({ "image/png": framePicture(player, false) })
    await navigator.clipboard.write([item])
    put(button, "Copied")
  } catch {
    put(button, "Not allowed here")
  }
  setTimeout(() => put(button, "Copy"), 1_500)
}

const canCopy = () => Boolean(navigator.clipboard?.write && window.ClipboardItem)
