// What a person takes from the player: the frame that is shown, as a picture.

const ENLARGED = 20

// Exact pixels as the network reads them, or as shown and enlarged.
function framePicture(player, exact) {
  const { track, frame, paint } = player
  const picture = document.createElement("canvas")
  if (exact) {
    picture.width = picture.height = 28
    const data = new ImageData(28, 28)
    track.image(frame).forEach((value, at) => data.data.set([value, value, value, 255], 4 * at))
    picture.getContext("2d").putImageData(data, 0, 0)
  } else {
    const small = document.createElement("canvas")
    paint.draw(small, track.image(frame), 28, 255, false)
    picture.width = picture.height = 28 * ENLARGED
    const context = picture.getContext("2d")
    context.imageSmoothingEnabled = false
    context.drawImage(small, 0, 0, picture.width, picture.height)
  }
  return new Promise((resolve) => picture.toBlob(resolve, "image/png"))
}

async function saveFrame(player, exact) {
  const { track, frame } = player
  const name = track.title.toLowerCase().replace(/[^a-z0-9]+/g, "-") || "frame"
  const side = exact ? 28 : 28 * ENLARGED
  const link = document.createElement("a")
  const picture = await withText(await framePicture(player, exact), told(player))
  link.href = URL.createObjectURL(picture)
  link.download = `${name}-iteration-${track.steps[frame]}-${side}.png`.replace(/^-/, "")
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

function told({ track, frame }) {
  const predicted = track.predicted(frame)
  const p = track.ten(track.probabilities, frame)[predicted].toFixed(3)
  const rounded = isLast(track, frame) && track.cost ? { rounded: track.cost } : {}
  const read = { iteration: track.steps[frame], "read as": predicted, p }
  return { ...track.about, ...read, ...rounded }
}

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
