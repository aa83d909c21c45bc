// The trajectory player: one slider moves the images, their changes, all classes and the curves of
// all tracks together.

const SPEEDS = [0.25, 0.5, 1, 2, 4]
const WHOLE = 6_000 // ms that a trajectory takes at 1×
const LONGEST = 200 // ms that a frame stays at 1×
const CALM = 500 // ms between frames for those who asked for less motion

const players = new WeakMap()

export default function ({ parentElement, data }) {
  let player = players.get(parentElement)
  if (!player) {
    player = new Player(parentElement)
    players.set(parentElement, player)
  }
  player.take(data)
}

class Player {
  constructor(parent) {
    this.root = parent.querySelector(".player")
    this.nodes = {}
    this.find = (name) => (this.nodes[name] ??= this.root.querySelector("." + name))
    this.chosen = 0
    this.view = VIEWS[0]
    this.taken = 0
    this.cursors = []
    listen(this)
  }

  // Draw what Python sent: the same trajectories again stay where they are, new ones show their end.
  async take(bytes) {
    const own = ++this.taken
    const head = await unpack(bytes)
    if (own !== this.taken) return
    const same = this.head?.version === head.version
    this.head = head
    this.tracks = head.tracks
    this.paint = new Paint(head.colors)
    this.steps = inStep(this.tracks)
    this.last = this.steps.at(-1)
    if (!same) {
      this.stop()
      this.place = this.steps.length - 1
      this.chosen = Math.min(this.chosen, this.tracks.length - 1)
    }
    this.dress()
    this.choose(this.chosen)
    this.root.dataset.drawn = String(own)
  }

  get track() {
    return this.tracks[this.chosen]
  }

  get frame() {
    return this.track.at[this.place]
  }

  dress() {
    const { colors } = this.head
    this.root.style.setProperty("--paper", colors.paper)
    this.root.style.setProperty("--quiet", colors.quiet)
    this.root.style.setProperty("--track", colors.track)
    this.root.classList.toggle("still", this.steps.length < 2)
    this.find("slider").max = this.last
    const { side, classCount } = this.head.images
    put(this.find("class-count"), `${classCount} classes`)
    put(this.find("small"), `PNG ${side} × ${side}`)
    put(this.find("large"), `PNG ${enlarged(side)} × ${enlarged(side)}`)
    this.paint.legend(this.find("scale"), true)
    this.find("copy").hidden = !canCopy()
    put(this.find("thinned"), thinning(this.tracks))
    const tiles = this.tracks.map((track, number) => tileOf(this, track, number))
    this.find("tiles").replaceChildren(...(tiles.length > 1 ? tiles : []))
  }

  choose(number) {
    this.chosen = number
    ;[...this.find("tiles").children].forEach((tile, at) =>
      tile.setAttribute("aria-pressed", String(at === number)),
    )
    this.paint.drawImage(this.find("start"), this.track.image(0), this.head.images, 255)
    if (this.steps.length > 1) this.curves()
    this.draw()
  }

  curves() {
    if (this.view === "Loss" && !this.track.terms.length) this.view = VIEWS[0]
    for (const button of this.find("views").children) {
      button.hidden = button.textContent === "Loss" && !this.track.terms.length
      button.setAttribute("aria-pressed", String(button.textContent === this.view))
    }
    drawCurves(this)
  }

  go(place) {
    this.place = Math.min(this.steps.length - 1, Math.max(0, place))
    this.draw()
  }

  // The recorded step nearest to an iteration.
  nearest(step) {
    const after = this.steps.findIndex((each) => each >= step)
    if (after <= 0) return after < 0 ? this.steps.length - 1 : 0
    return step - this.steps[after - 1] < this.steps[after] - step ? after - 1 : after
  }

  // Everything that depends on the step.
  draw() {
    const { track, frame, place, steps, last, paint } = this
    const { images } = this.head
    paint.drawImage(this.find("image"), track.image(frame), images, 255)
    paint.draw(this.find("change"), track.change(frame), images.side, 255, true)
    drawBars(this.find("class-bars"), {
      classes: images.classes,
      probabilities: track.all(track.probabilities, frame),
      logits: track.all(track.logits, frame),
      ticks: track.all(track.probabilities, 0),
      trueLabel: track.true,
      targetLabel: track.target,
      colors: this.head.colors,
    })
    ;[...this.find("tiles").children].forEach((tile, number) =>
      drawTile(tile, this.tracks[number], this),
    )
    this.readings?.forEach((write) => write(frame))
    this.write()
    const slider = this.find("slider")
    slider.value = steps[place]
    slider.setAttribute(
      "aria-valuetext",
      `${steps[place]} of ${last}, the network says ${images.classes[track.predicted(frame)]}`,
    )
    // Set where it is used and nowhere above: a property that all inherit costs 3 ms a step.
    const share = last ? steps[place] / last : 0
    for (const node of [slider.parentElement, ...this.cursors])
      node.style.setProperty("--share", share)
    put(this.find("count"), `${steps[place].toLocaleString("en")} of ${last.toLocaleString("en")}`)
  }

  write() {
    const { track, frame } = this
    const predicted = track.predicted(frame)
    const name = this.head.images.classes[predicted]
    const p = track.all(track.probabilities, frame)[predicted]
    const step = track.steps[frame]
    const ended = step < this.steps[this.place] ? " (its last)" : ""
    const norms = track.norms.map(({ name, values }) => `${name} ${short(values[frame])}`)
    const terms = track.terms.map(({ name, values }) => `${name} ${short(values[frame])}`)
    const finding = `Iteration ${step.toLocaleString("en")}${ended}: the network says ${name}`
    put(this.find("finding"), finding)
    put(
      this.find("distance"),
      `${kindOf(predicted, track, name)}, p = ${p.toFixed(3)} · change ${norms.join(", ")}`,
    )
    put(this.find("terms"), terms.join(" · "))
    const known = track.cost && "What a PNG’s 256 levels cost is measured for the last iteration."
    put(this.find("cost"), isLast(track, frame) ? track.cost : known)
    Object.assign(this.root.dataset, { step, predicted, track: this.chosen, frame })
  }

  // For those who listen: when something has come to rest.
  speak() {
    put(this.find("spoken"), `${this.track.title} ${this.find("finding").textContent}`.trim())
  }

  play() {
    if (this.steps.length < 2) return
    if (this.place === this.steps.length - 1) this.go(0)
    this.playing = true
    this.root.classList.add("playing")
    this.find("play").setAttribute("aria-label", "Pause")
    const whole = Math.min(WHOLE, LONGEST * this.steps.length)
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
    let step = this.steps[this.place]
    let before = performance.now()
    let drawn = before
    const tick = (now) => {
      if (!this.playing || !this.root.isConnected) return
      step += (Math.max(0, now - before) / whole) * this.last * Number(this.find("speed").value)
      before = now
      let place = this.place
      while (place + 1 < this.steps.length && this.steps[place + 1] <= step) place++
      if (place !== this.place && (!calm || now - drawn >= CALM || step >= this.last)) {
        drawn = now
        this.go(place)
      }
      if (this.place === this.steps.length - 1) this.stop()
      else requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
  }

  stop() {
    if (!this.playing) return
    this.playing = false
    this.root.classList.remove("playing")
    this.find("play").setAttribute("aria-label", "Play")
    this.speak()
  }
}

function thinning(tracks) {
  const [sent, recorded] = ["frames", "recorded"].map((name) =>
    tracks.reduce((sum, track) => sum + track[name], 0).toLocaleString("en"),
  )
  return sent === recorded
    ? ""
    : `Evenly chosen: ${sent} of ${recorded} recorded frames, flips and last frames among them. ` +
        "The files hold all."
}

function kindOf(label, track, name) {
  if (label === track.target) return "The target"
  return label === track.true ? "The true class" : `Class ${name}`
}

function tileOf(player, track, number) {
  const tile = element("button", "tile")
  tile.type = "button"
  tile.title = track.title
  const canvas = document.createElement("canvas")
  tile.append(canvas, element("span", "who", track.title), element("span", "answer"))
  tile.onclick = () => {
    player.choose(number)
    player.speak()
  }
  return tile
}

function drawTile(tile, track, { head, place, paint }) {
  const [canvas, , answer] = tile.children
  const frame = track.at[place]
  const predicted = track.predicted(frame)
  paint.drawImage(canvas, track.image(frame), head.images, 255)
  const p = track.all(track.probabilities, frame)[predicted]
  put(answer, `${head.images.classes[predicted]} · ${p.toFixed(3)}`)
  tile.classList.toggle("reached", predicted === track.target)
}

function listen(player) {
  const { find, root } = player
  const halt = (place) => {
    player.stop()
    player.go(place)
  }
  for (const view of VIEWS) {
    const button = element("button", "view", view)
    button.type = "button"
    button.onclick = () => {
      player.view = view
      player.curves()
      player.draw()
    }
    find("views").append(button)
  }
  for (const speed of SPEEDS) find("speed").append(new Option(`${speed}×`, speed))
  find("speed").value = 1
  find("play").onclick = () => (player.playing ? player.stop() : player.play())
  find("slider").oninput = (event) => halt(player.nearest(Number(event.target.value)))
  find("copy").onclick = () => copyFrame(player)
  find("small").onclick = () => saveFrame(player, true)
  find("large").onclick = () => saveFrame(player, false)
  root.onkeydown = (event) => {
    const on = event.target
    if (!player.tracks || on === find("speed") || event.ctrlKey || event.metaKey || event.altKey)
      return
    const stride = event.shiftKey ? 10 : 1
    const moves = { ArrowLeft: -stride, ArrowRight: stride, Home: -Infinity, End: Infinity }
    if (on === find("slider")) Object.assign(moves, { ArrowDown: -stride, ArrowUp: stride })
    if (event.key in moves) halt(player.place + moves[event.key])
    else if (event.key === " " && on.localName !== "button") find("play").click()
    else return
    event.preventDefault()
  }
}
