// The script of the page, an ES module: takes a snapshot a second and shows it. A string, because the package is what
// tsc makes of src/, and the browser's script must come out of it as it is.
export const SCRIPT = String.raw`// The live page: shows each snapshot, and says in words whether it is connected.
const $ = (id) => document.getElementById(id)
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const dollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', maximumFractionDigits: 4 })
const RETRY_MS = 5000
const SVG = 'http://www.w3.org/2000/svg'

const REASONS = {
  'unknown-body': 'no known chat, let through',
  'no-body': 'a request or response without a body',
  path: 'a path that the option paths leaves out',
  'stage-off': 'the option check leaves the stage out',
  'skip-hook': 'the hook skip said so',
  image: 'an image, for a model that reads text',
  binary: 'bytes that are no text',
  empty: 'a reply without a word',
  status: 'an error reply without text of a model',
  'stored-history': 'turns that the vendor keeps',
  'shadow-sample': 'outside the sample of shadow mode',
  error: 'could not be judged, or was refused unread',
  'client-left': 'the client left before the verdict',
}
const BREAKER = { closed: '✓ closed', open: '✕ open', 'half-open': '… probing', off: 'off' }

let source
let lastAt = ''

function connect() {
  source?.close()
  source = new EventSource('?events')
  source.onmessage = ({ data }) => {
    connection('good', '● Connected')
    lastAt = new Date().toLocaleTimeString('en-GB')
    show(JSON.parse(data))
  }
  source.onerror = () => {
    connection('warn', '○ Reconnecting' + (lastAt && '. The numbers are from ' + lastAt))
    if (source.readyState === EventSource.CLOSED) whyNot()
  }
}

/** The stream was refused. Its answer says why; a sign-in that has ended leads back to the form. */
async function whyNot() {
  const controller = new AbortController()
  try {
    const response = await fetch('?events', { signal: controller.signal })
    if (response.status === 401) return location.reload()
    if (!response.ok) connection('bad', '✕ ' + (await response.json()).error.message)
  } catch {
    // The server is away; the words stay.
  }
  controller.abort()
  setTimeout(() => document.hidden || connect(), RETRY_MS)
}

function connection(kind, words) {
  const badge = $('connection')
  if (badge.textContent === words) return
  badge.className = 'badge ' + kind
  badge.textContent = words
}

function show(seen) {
  const { stages, cache, saved, guards } = seen
  $('quiet').hidden = seen.requests > 0
  $('since').textContent = new Date(seen.since).toLocaleString('en-GB')
  showNow(seen)
  rows('latency', [latency('Input', stages.input), latency('Output', stages.output)])
  rows('verdicts', [verdicts('Input', stages.input), verdicts('Output', stages.output)])
  rows(
    'categories',
    bars(seen.categories.map(({ id, name, count }) => [name ? id + ' ' + name : id, count])),
    'None so far',
  )
  rows('notJudged', bars(seen.notJudged.map(({ name, count }) => [name, count, REASONS[name]])), 'Nothing so far')
  rows('errors', bars(seen.errors.map(({ name, count }) => [name, count])), 'None so far')
  rows(
    'guards',
    guards.map(({ model, circuit, inFlight, queued }) => [model, BREAKER[circuit], inFlight, queued]),
    'None is open',
  )
  rows('cache', [
    ['answered from memory', cache.hit],
    ['from the shared store', cache.shared],
    ['joined an equal question', cache.joined],
    ['asked the guard', cache.miss],
  ])
  const total = saved.cache + saved.joined + saved.cascade
  rows('saved', [
    ['the cache', saved.cache],
    ['joining equal questions', saved.joined],
    ['the small guard of a cascade', saved.cascade],
    ['all of them', total],
  ])
  const all = cache.hit + cache.shared + cache.joined + cache.miss
  const share = number.format((100 * (all - cache.miss)) / all)
  note('saved', all > 0 ? 'The cache and joining answered ' + share + '% of all questions.' : '')
  showCost(seen)
}

function showNow({ rate, lastMinute, guards }) {
  const sum = (key) => lastMinute.reduce((total, second) => total + second[key], 0)
  $('rate').textContent = number.format(rate)
  for (const [key, tile, legend] of [
    ['released', undefined, 'sumReleased'],
    ['blocked', 'blocked', 'sumBlocked'],
    ['unjudged', 'unjudged', 'sumUnjudged'],
  ]) {
    if (tile) $(tile).textContent = number.format(sum(key))
    $(legend).textContent = number.format(sum(key))
  }
  $('flight').textContent = number.format(guards.reduce((total, { inFlight }) => total + inFlight, 0))
  $('waiting').textContent = number.format(guards.reduce((total, { queued }) => total + queued, 0))
  const worst = ['open', 'half-open', 'closed', 'off'].find((state) => guards.some(({ circuit }) => circuit === state))
  $('breaker').textContent = BREAKER[worst] ?? '–'
  $('breaker').className = worst === 'open' ? 'bad' : worst === 'half-open' ? 'warn' : ''
  draw(lastMinute)
}

/** A bar for each second: released below, blocked above it, what has no verdict on top. */
function draw(seconds) {
  const most = Math.max(4, ...seconds.map(({ released, blocked, unjudged }) => released + blocked + unjudged))
  const none = seconds.every(({ released, blocked, unjudged }) => released + blocked + unjudged === 0)
  $('most').textContent = none ? 'none' : 'up to ' + number.format(most)
  const parts = seconds.flatMap((second, index) => {
    let y = 100
    return ['released', 'blocked', 'unjudged'].flatMap((kind) => {
      const height = (100 * second[kind]) / most
      y -= height
      return height > 0 ? [bar(kind, index * 10 + 1, y, height)] : []
    })
  })
  $('bars').replaceChildren(...parts)
}

function bar(kind, x, y, height) {
  const rect = document.createElementNS(SVG, 'rect')
  const attributes = { class: kind, x, y, width: 8, height, ...(kind === 'blocked' && { fill: 'url(#stripes)' }) }
  for (const [name, value] of Object.entries(attributes)) rect.setAttribute(name, value)
  return rect
}

const latency = (stage, { latency: { judged, p50, p99 } }) => [stage, judged, ms(p50), ms(p99)]
const verdicts = (stage, { safe, unsafe, unjudged, blocked }) => [stage, safe, unsafe, unjudged, blocked]

function ms(value) {
  if (value === undefined) return '–'
  return value < 1 ? '< 1 ms' : number.format(value < 10 ? value : Math.round(value)) + ' ms'
}

function showCost({ cost, tokens, asked, since, now }) {
  const list = [
    ['checks that asked a guard', asked],
    ['tokens read', tokens.input || 'not counted'],
    ['tokens written', tokens.output || 'not counted'],
  ]
  if (cost) {
    list.push(['spent since counting began', dollars.format(cost.spent)])
    if (cost.perThousandChecks !== undefined) list.push(['for 1,000 checks', dollars.format(cost.perThousandChecks)])
    if (cost.saved !== undefined) list.push(['saved by cache and joining', dollars.format(cost.saved)])
  }
  rows('cost', list)
  const price = cost && dollars.format(cost.dollars) + (cost.per === 'hour' ? ' an hour' : ' for a million tokens')
  note(
    'cost',
    cost
      ? 'The price you gave, ' +
          price +
          ', times ' +
          (cost.per === 'hour' ? hours(now - since) + ' of the endpoint.' : 'the tokens above.') +
          ' Not a bill.'
      : 'Give dollarsPerHour or dollarsPerMillionTokens to see an estimate in money.',
  )
}

function hours(past) {
  const minutes = Math.round(past / 60000)
  if (minutes < 1) return 'less than a minute'
  return minutes < 60 ? minutes + ' minutes' : number.format(minutes / 60) + ' hours'
}

function note(id, words) {
  if ($(id + 'Note').textContent !== words) $(id + 'Note').textContent = words
}

/** Rows with a bar behind the count, as long as its share of the largest. */
function bars(list) {
  const most = Math.max(1, ...list.map(([, count]) => count))
  return list.map(([name, count, hint]) => [{ words: name, share: count / most, hint }, count])
}

const shown = new Map()

/** Rows are made anew only when they differ, so that a selection and the place of a screen reader stay. */
function rows(id, list, empty) {
  const key = JSON.stringify(list)
  if (shown.get(id) === key) return
  shown.set(id, key)
  $(id).replaceChildren(...(list.length > 0 ? list.map(row) : [emptyRow(id, empty)]))
}

function row(cells) {
  const line = document.createElement('tr')
  cells.forEach((cell, index) => {
    const box = document.createElement(index === 0 ? 'th' : 'td')
    if (index === 0) box.scope = 'row'
    fill(box, cell)
    line.append(box)
  })
  return line
}

function fill(box, cell) {
  if (typeof cell !== 'object') {
    box.textContent = typeof cell === 'number' ? number.format(cell) : cell
    return
  }
  box.textContent = cell.words
  if (cell.hint) {
    const hint = document.createElement('small')
    hint.textContent = cell.hint
    box.append(hint)
  }
  const meter = document.createElement('span')
  meter.className = 'bar'
  meter.style.setProperty('--share', cell.share)
  box.append(meter)
}

function emptyRow(id, words) {
  const line = document.createElement('tr')
  const cell = line.insertCell()
  cell.colSpan = $(id).parentElement.querySelectorAll('th[scope=col]').length
  cell.className = 'empty'
  cell.textContent = words
  return line
}

// A page that nobody looks at needs no stream, and a browser has few connections to give.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) return connect()
  source?.close()
  connection('', '○ Paused while hidden')
})
connect()
`
