// Ten horizontal bars, 0 to 9 from the top: the predicted class in bold ink, the true one in green,
// a target in orange. `ticks` are other probabilities to compare with, `logits` a second column;
// without `probabilities` the bars are empty.

function drawBars(list, { probabilities, logits, trueLabel, targetLabel, ticks, colors }) {
  while (list.children.length < 10) list.append(emptyBar(Boolean(logits)))
  const predicted = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1
  for (const [number, row] of [...list.children].entries()) {
    const p = probabilities ? probabilities[number] : 0
    const [label, track, value, logit] = row.children
    const [bar, tick] = track.children
    const color = number === predicted ? colors.ink : colors.other
    row.classList.toggle("predicted", number === predicted)
    put(label, String(number))
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
