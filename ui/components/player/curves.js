// The curves above the slider: drawn once for a track; a step only moves the cursor.

const VIEWS = ["Probability", "Logit", "Loss", "Norms"]
const SVG = "http://www.w3.org/2000/svg"

// What a view draws: bands one below the other, each with a range and lines.
function bandsOf(view, track, tracks) {
  if (view === "Loss" || view === "Norms") {
    const kind = view === "Loss" ? "terms" : "norms"
    return track[kind].map(({ name, values }) => ({
      name,
      values,
      range: rangeOf(tracks.flatMap((each) => each[kind].filter((other) => other.name === name))),
      lines: [{ values, role: view === "Loss" ? "target" : "ink" }],
    }))
  }
  const values = view === "Logit" ? "logits" : "probabilities"
  const lines = Array.from({ length: track.classes }, (_, label) => ({
    label,
    values: track.course(track[values], label),
    role: roleOf(label, track),
  }))
  const order = ["other", "ink", "true", "target"]
  lines.sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role))
  const range = view === "Logit" ? rangeOf(tracks.map((each) => ({ values: each.logits }))) : [0, 1]
  return [{ name: "", range, lines }]
}

function roleOf(label, track) {
  if (label === track.target) return "target"
  if (label === track.true) return "true"
  return label === track.predicted(track.frames - 1) ? "ink" : "other"
}

// From the lowest to the highest of all tracks.
function rangeOf(curves) {
  let [low, high] = [Infinity, -Infinity]
  for (const { values } of curves)
    for (const value of values) {
      if (value < low) low = value
      if (value > high) high = value
    }
  return high > low ? [low, high] : [low - 0.5, high + 0.5]
}

function drawCurves(player) {
  const { head, track, tracks, view, last } = player
  const bands = bandsOf(view, track, tracks)
  player.readings = []
  player.find("plots").replaceChildren(
    ...bands.map((band) => {
      const row = element("div", "row")
      const names = element("div", "names")
      if (band.name) names.append(element("span", "band", band.name), reading(player, band))
      else names.append(...lineNames(band, view, head.images.classes))
      row.append(axis(band), plot(band, track, last, head.colors), names)
      return row
    }),
  )
  player.cursors = [...player.find("plots").querySelectorAll(".cursor")]
  player.find("plots").dataset.bands = bands.length
}

function axis({ range: [low, high] }) {
  const labels = element("div", "axis")
  labels.append(element("span", "", short(high)), element("span", "", short(low)))
  return labels
}

function plot(band, track, last, colors) {
  const area = element("div", "plot")
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("viewBox", "0 0 1000 100")
  svg.setAttribute("preserveAspectRatio", "none")
  svg.setAttribute("aria-hidden", "true")
  const [low, high] = band.range
  for (const { values, role } of band.lines) {
    const path = document.createElementNS(SVG, "path")
    const points = Array.from(values, (value, frame) => {
      const x = (1000 * track.steps[frame]) / last
      return `${x.toFixed(1)} ${(100 - (100 * (value - low)) / (high - low)).toFixed(2)}`
    })
    if (track.steps.at(-1) < last) points.push(`1000 ${points.at(-1).split(" ")[1]}`)
    path.setAttribute("d", `M${points.join("L")}`)
    path.setAttribute("stroke", colors[role])
    path.setAttribute("class", role)
    svg.append(path)
  }
  area.append(svg)
  for (const { step, text } of track.marks) {
    const mark = element("i", "flip")
    mark.style.left = `${(100 * step) / last}%`
    mark.append(element("span", step > last / 2 ? "before" : "after", text))
    area.append(mark)
  }
  area.append(element("i", "cursor"))
  return area
}

// The names of the lines that have a role, at the height of their ends, apart enough to be read.
function lineNames({ lines, range: [low, high] }, view, classes) {
  const named = lines
    .filter((line) => line.role !== "other")
    .map((line) => ({ ...line, at: 100 * (1 - (line.values.at(-1) - low) / (high - low)) }))
    .sort((a, b) => a.at - b.at)
  named.forEach((line, rank) => {
    if (rank) line.at = Math.max(line.at, named[rank - 1].at + 16)
  })
  for (let rank = named.length - 1, lowest = 100; rank >= 0; rank--, lowest -= 16)
    named[rank].at = Math.min(named[rank].at, lowest)
  return named.map(({ label, role, at }) => {
    const what = view === "Logit" ? `logit ${classes[label]}` : `p(${classes[label]})`
    const name = element("span", `name ${role}`, role === "ink" ? what : `${what} ${role}`)
    name.style.top = `${at}%`
    return name
  })
}

function reading(player, band) {
  const value = element("span", "reading")
  player.readings.push((frame) => put(value, short(band.values[frame])))
  return value
}

// A number in about four figures.
function short(value) {
  const size = Math.abs(value)
  if (size === 0 || Number.isInteger(value)) return written(value, 0)
  return written(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4)
}
