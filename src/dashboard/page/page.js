/* eslint-env browser */
// The live page: shows each snapshot, and says in words whether it is connected.
const $ = (id) => document.getElementById(id)
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const RETRY_MS = 5000
const SVG = 'http://www.w3.org/2000/svg'
const KINDS = ['released', 'blocked', 'unjudged']

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
const OLDEST = { minute: '60 s ago', hour: '60 min ago', day: '24 h ago' }
/** Id, title, columns, note. */
const TABLES = [
  [
    'latency',
    'Latency',
    ['Stage', 'Judged', 'p50', 'p99'],
    'How long a stage waited for its slowest check. Remembered verdicts are in it.',
  ],
  ['verdicts', 'Verdicts', ['Stage', 'Safe', 'Unsafe', 'Unjudged', 'Blocked']],
  ['categories', 'Violated categories', ['Category', 'Times']],
  [
    'notJudged',
    'Not judged',
    ['Reason', 'Times'],
    'Stages and parts of requests that no guard saw, or that could not be judged.',
  ],
  ['errors', 'Failures to judge', ['Code', 'Times']],
  ['guards', 'Guards', ['Model', 'Breaker', 'In flight', 'Waiting']],
  ['checks', 'Checks', ['What', 'Times']],
]
for (const [id, title, columns, words = ''] of TABLES) {
  const panel = $('table').content.cloneNode(true)
  const [heading, table, body, hint] = ['h2', 'table', 'tbody', '.hint'].map((name) => panel.querySelector(name))
  for (const named of [panel.firstElementChild, table]) named.setAttribute('aria-labelledby', id + 'Title')
  Object.assign(heading, { id: id + 'Title', textContent: title })
  body.id = id
  hint.textContent = words
  for (const column of columns) {
    panel.querySelector('tr').append(Object.assign(element('th', column), { scope: 'col' }))
  }
  $('tables').append(panel)
}

let source
let lastAt = ''
let last

function connect() {
  source?.close()
  source = new EventSource('?events')
  source.onmessage = ({ data }) => {
    connection('good', '● Connected')
    lastAt = new Date().toLocaleTimeString('en-GB')
    last = JSON.parse(data)
    show(last)
  }
  source.onerror = () => {
    connection('warn', '○ Reconnecting' + (lastAt && '. The numbers are from ' + lastAt))
    // What is true of this second alone must not stand where it may be true no longer.
    text($('rate'), '–')
    rows('guards', [])
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
  const { stages, cache, guards, windows, tokens } = seen
  $('model').textContent = seen.model
  $('shadow').hidden = seen.mode !== 'shadow'
  $('quiet').hidden = seen.requests > 0
  $('since').textContent = new Date(seen.since).toLocaleString('en-GB')
  if (seen.offered) openPlayground(seen.offered)
  if ($('window').length === 0) $('window').append(...windows.map(({ name }) => new Option('last ' + name, name)))
  const window = windows[Math.max(0, $('window').selectedIndex)]
  showNow(seen.rate, window)
  rows('latency', [latency('Input', window.latency.input), latency('Output', window.latency.output)])
  rows('verdicts', [verdicts('Input', stages.input), verdicts('Output', stages.output)])
  rows(
    'categories',
    seen.categories.map(({ id, name, count }) => [name ? id + ' ' + name : id, count]),
  )
  rows(
    'notJudged',
    seen.notJudged.map(({ name, count }) => [{ words: name, hint: REASONS[name] }, count]),
  )
  rows(
    'errors',
    seen.errors.map(({ name, count }) => [name, count]),
  )
  rows(
    'guards',
    guards.map(({ model, circuit, inFlight, queued }) => [model, BREAKER[circuit], inFlight, queued]),
  )
  rows('checks', [
    ['answered from memory', cache.hit],
    ['from the shared store', cache.shared],
    ['joined an equal question', cache.joined],
    ['asked the guard', cache.miss],
    ['tokens read', tokens.input || 'not counted'],
    ['tokens written', tokens.output || 'not counted'],
  ])
}

let opened
/** The playground's script is loaded with the first snapshot that offers guards, which may change with the options. */
function openPlayground(offered) {
  const key = JSON.stringify(offered)
  if (opened === key) return
  opened = key
  for (const id of ['playground', 'toPlayground']) $(id).hidden = false
  import(new URL('?playground.js', location)).then(({ offer }) => offer(offered))
}

function showNow(rate, { name, bars }) {
  for (const words of document.querySelectorAll('[data-window]')) text(words, 'last ' + name)
  text($('oldest'), OLDEST[name])
  text($('rate'), number.format(rate))
  KINDS.forEach((kind, at) => text($(kind), number.format(bars.reduce((total, slot) => total + slot[at], 0))))
  draw(bars)
}

/** A bar for each slot: released below, blocked above it, what has no verdict on top. */
function draw(slots) {
  const sums = slots.map((slot) => slot.reduce((total, count) => total + count, 0))
  const most = Math.max(4, ...sums)
  text($('most'), Math.max(...sums) === 0 ? 'none' : 'up to ' + number.format(most))
  const parts = slots.flatMap((slot, index) => {
    let y = 100
    return slot.flatMap((count, at) => {
      const height = (100 * count) / most
      y -= height
      return height > 0 ? [bar(KINDS[at], index * 10 + 1, y, height)] : []
    })
  })
  $('bars').replaceChildren(...parts)
}

function bar(kind, x, y, height) {
  const rect = document.createElementNS(SVG, 'rect')
  const attributes = { class: kind, x, y, width: 8, height }
  for (const [name, value] of Object.entries(attributes)) rect.setAttribute(name, value)
  return rect
}

const latency = (stage, { judged, p50, p99 }) => [stage, judged, ms(p50), ms(p99)]
const verdicts = (stage, { safe, unsafe, unjudged, blocked }) => [stage, safe, unsafe, unjudged, blocked]

function ms(value) {
  if (value === undefined) return '–'
  return value < 1 ? '< 1 ms' : number.format(value < 10 ? value : Math.round(value)) + ' ms'
}

function text(target, words) {
  if (target.textContent !== words) target.textContent = words
}

function element(name, words) {
  return Object.assign(document.createElement(name), { textContent: words })
}

const shown = new Map()

/** Rows are made anew only when they differ, so that a selection and the place of a screen reader stay. */
function rows(id, list) {
  const key = JSON.stringify(list)
  if (shown.get(id) === key) return
  shown.set(id, key)
  $(id).replaceChildren(...(list.length > 0 ? list.map(row) : [emptyRow(id)]))
}

function row(cells) {
  const line = document.createElement('tr')
  cells.forEach((cell, index) => {
    const { words = cell, hint } = cell
    const box = element(index === 0 ? 'th' : 'td', typeof words === 'number' ? number.format(words) : words)
    if (index === 0) box.scope = 'row'
    if (hint) box.append(element('small', hint))
    line.append(box)
  })
  return line
}

function emptyRow(id) {
  const line = document.createElement('tr')
  const columns = $(id).parentElement.querySelectorAll('th[scope=col]').length
  line.append(Object.assign(element('td', 'None so far'), { className: 'empty', colSpan: columns }))
  return line
}

$('window').addEventListener('change', () => last && show(last))
// A page that nobody looks at needs no stream, and a browser has few connections to give.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) return connect()
  source?.close()
  connection('', '○ Paused while hidden')
})
connect()
