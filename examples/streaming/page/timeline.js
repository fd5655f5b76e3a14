/* eslint-env browser */
// Draws the time line as SVG: three lanes from left to right, in milliseconds.
const LEFT = 52
const RIGHT = 24
const LANES = { model: 10, check: 60, you: 130 }
const LANE_HEIGHT = { model: 30, check: 50, you: 30 }
const NAMES = { model: 'Model', check: 'Guard', you: 'You' }

export function draw(svg, events) {
  // One unit is one pixel: letters keep their size on a narrow screen.
  const size = svg.clientWidth
  svg.setAttribute('viewBox', `0 0 ${size} 190`)
  const width = size - LEFT - RIGHT
  const end = Math.max(1000, ...events.map(({ at }) => at)) * 1.02
  const x = (at) => LEFT + (at / end) * width
  const now = Math.max(...events.map(({ at }) => at))
  svg.replaceChildren(
    ...lanes(width),
    ...axis(end, x, width / 75),
    ...words(events, x),
    ...checks(events, x, now),
    ...cuts(events, x),
  )
}

function lanes(width) {
  return Object.entries(LANES).flatMap(([name, y]) => [
    make('rect', { class: 'lane', x: LEFT, y, width, height: LANE_HEIGHT[name], rx: 4 }),
    make('text', { x: 0, y: y + LANE_HEIGHT[name] / 2 + 5 }, NAMES[name]),
  ])
}

function axis(end, x, most) {
  const step = [250, 500, 1000, 2000, 5000].find((each) => end / each <= most) ?? 10_000
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step).flatMap((at) => [
    make('line', { class: 'axis', x1: x(at), x2: x(at), y1: 5, y2: 165 }),
    make('text', { x: x(at), y: 182, 'text-anchor': 'middle' }, `${at} ms`),
  ])
}

function words(events, x) {
  return events
    .filter(({ lane }) => lane === 'model' || lane === 'you')
    .map(({ lane, at }) =>
      make('line', { class: lane, x1: x(at), x2: x(at), y1: LANES[lane] + 5, y2: LANES[lane] + LANE_HEIGHT[lane] - 5 }),
    )
}

function checks(events, x, now) {
  const asked = events.filter(({ lane }) => lane === 'check')
  return asked.map(({ count, at, stage, chars }, index) => {
    const verdict = events.find(({ lane, number }) => lane === 'verdict' && number === count)
    const width = Math.max(3, x(verdict?.at ?? now) - x(at))
    const group = make('g', { class: `check ${verdict === undefined ? '' : verdict.safe ? 'safe' : 'unsafe'}` })
    // Two rows, so that a check that starts as another ends can be told from it.
    const y = LANES.check + 3 + (index % 2) * 23
    group.append(make('rect', { x: x(at), y, width, height: 21, rx: 4 }))
    if (width > 40) group.append(make('text', { x: x(at) + 5, y: y + 15 }, stage === 'input' ? 'input' : `${chars}`))
    return group
  })
}

function cuts(events, x) {
  return events
    .filter(({ lane }) => lane === 'cut')
    .map(({ at }) => make('line', { class: 'cut', x1: x(at), x2: x(at), y1: 5, y2: 165 }))
}

function make(name, attributes, text) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  if (text !== undefined) node.textContent = text
  return node
}
