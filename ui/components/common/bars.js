// A horizontal bar a class, in the order of `classes`, their names: the predicted one in bold ink,
// the true one in green, a target in orange. `ticks` are other probabilities to compare with,
// `logits` a second column; without `probabilities` the bars are empty.

const LONGEST_NAME = 10 // letters of a class's name that are shown

function drawBars(list, { classes, probabilities, logits, trueLabel, targetLabel, ticks, colors }) {
  const names = classes.join()
  if (list.dataset.names !== names) {
    list.dataset.names = names
    list.replaceChildren(...classes.map(() => emptyBar(Boolean(logits))))
    const letters = Math.max(...classes.map((name) => name.length))
    list.style.setProperty("--name", `${Math.min(LONGEST_NAME, letters)}ch`)
  }
  const predicted = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1
  for (const [number, row] of [...list.children].entries()) {
    const p = probabilities ? probabilities[number] : 0
    const [label, track, value, logit] = row.children
    const [bar, tick] = track.children
    const color = number === predicted ? colors.ink : colors.other
    row.classList.toggle("predicted", number === predicted)
    put(label, classes[number])
    put(value, p >= 0.0005 ? p.toFixed(3) : "")
    track.style.background = colors.track
    bar.style.width = `${100 * p}%`
    bar.style.background =
      number === targetLabel ? colors.target : number === trueLabel ? colors.true : color
    if (logits) put(logit, written(logits[number], 1))
    tick.hidden = !ticks || ticks[number] < 0.0005
    tick.style.left = ticks ? `${100 * ticks[number]}%` : "0"
    tick.style.background = colors.ink
  }
}

function emptyBar(withLogit) {
  const row = document.createElement("li")
  const [label, track, value] = ["label", "track", "value"].map((name) => element("span", name))
  track.append(element("i", "bar"), element("b", "tick"))
  row.append(label, track, value)
  if (withLogit) row.append(element("span", "logit"))
  return row
}

// A text that changes; the page is not laid out again for one that stays.
function put(node, text) {
  if (node.textContent !== text) node.textContent = text
}

function element(tag, name, text = "") {
  const made = document.createElement(tag)
  made.className = name
  made.textContent = text
  return made
}
