/* eslint-env browser */
// One run: asks the guarded API for a stream and draws who did what when. Server events come beside the
// reply, on /timeline.
import { readEvents } from './shared/events.js'
import { problemOf, UNREACHABLE } from './shared/problem.js'
import { draw } from './timeline.js'

const $ = (id) => document.getElementById(id)
$('guardMs').addEventListener('input', () => ($('guardMsShown').textContent = `${$('guardMs').value} ms`))
$('form').addEventListener('submit', (event) => {
  event.preventDefault()
  run(event.submitter.dataset.say)
})

/** What happened so far: `{ at, lane, ... }` in milliseconds since the request. */
let events = []
let busy = false

/** One question at a time: the buttons say so. */
function setBusy(now) {
  busy = now
  for (const button of document.querySelectorAll('[data-say]')) button.disabled = now
}

async function run(content) {
  if (busy) return
  setBusy(true)
  events = []
  $('text').textContent = ''
  $('verdict').textContent = '–'
  show('', 'Running')
  const id = crypto.randomUUID()
  const source = new EventSource(`/timeline/${id}`)
  try {
    await new Promise((open, fail) => Object.assign(source, { onopen: open, onerror: fail }))
    source.onmessage = ({ data }) => add(JSON.parse(data))
    const settings = new URLSearchParams({
      streaming: new FormData($('form')).get('streaming'),
      parallel: $('parallel').checked,
      guardMs: $('guardMs').value,
    })
    const started = performance.now()
    const since = () => performance.now() - started
    const response = await fetch(`/v1/chat/completions?${settings}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ stream: true, messages: [{ role: 'user', content }] }),
    })
    $('verdict').textContent = response.headers.get('llama-guard')
    if (response.ok) await read(response, since)
    else {
      add({ at: since(), lane: 'cut' })
      const { kind, title, words } = problemOf(await response.text(), response.status)
      show(kind === 'blocked' ? 'bad' : 'warn', `${response.status} ${title}. ${words} Not a word has left.`)
    }
    // The last check of an `async` run may end after the reply.
    await new Promise((later) => setTimeout(later, Number($('guardMs').value) + 100))
    const late = events.some(({ lane, safe }) => lane === 'verdict' && !safe)
    if (late && !events.some(({ lane }) => lane === 'cut'))
      show('bad', '200: the guard found it unsafe when every word had already left')
  } catch {
    show('warn', UNREACHABLE.words)
  } finally {
    source.close()
    setBusy(false)
  }
}

async function read(response, since) {
  let note
  for await (const event of readEvents(response)) {
    const text = event.choices?.[0]?.delta?.content
    if (text) {
      add({ at: since(), lane: 'you', text })
      $('text').append(text)
    }
    note = event.llama_guard ?? event.error ?? note
  }
  if (note === undefined) return show('good', '200: all words were let through')
  add({ at: since(), lane: 'cut' })
  const why = note.categories?.map(({ code, name }) => `${name} (${code})`).join(', ') ?? note.code
  const stop = document.createElement('span')
  stop.className = 'stop'
  stop.textContent = '[cut by the guard]'
  $('text').append(stop)
  const kept = events.filter(({ lane }) => lane === 'you').length
  show('bad', `200, then cut after ${kept} words with finish_reason "content_filter": ${why}`)
}

function add(event) {
  events.push(event)
  // Drawn once a frame: drawing at every word would delay the words that come in the same breath.
  if (!due) requestAnimationFrame(redraw)
  due = true
}

addEventListener('resize', () => events.length > 0 && draw($('timeline'), events))

let due = false
function redraw() {
  due = false
  draw($('timeline'), events)
  const of = (lane) => events.filter((each) => each.lane === lane)
  const [first] = of('you')
  $('first').textContent = first ? `${Math.round(first.at)} ms` : '–'
  $('checks').textContent = of('check').length
  $('words').textContent = `${of('model').length} / ${of('you').length}`
  $('leaked').textContent = leaked(of('you'))
  $('rows').replaceChildren(...[...events].sort((a, b) => a.at - b.at).map(row))
}

/** Words beyond what a safe verdict has read. */
function leaked(words) {
  const safe = events
    .filter(({ lane, safe }) => lane === 'verdict' && safe)
    .map(({ number }) => events.find((each) => each.count === number))
  const covered = Math.max(0, ...safe.filter(({ stage }) => stage === 'output').map(({ chars }) => chars))
  let length = 0
  return words.filter(({ text }) => (length += text.length) > covered).length
}

function row({ at, lane, text, stage, chars, safe, categories }) {
  const line = document.createElement('tr')
  const [who, what] = {
    model: ['Model', text],
    you: ['You', text],
    check: ['Guard', `asks about the ${stage}, ${chars} characters`],
    verdict: ['Guard', safe ? 'safe' : `unsafe ${categories}`],
    cut: ['Guard', 'refuses the rest'],
  }[lane]
  for (const cell of [Math.round(at), who, what]) line.insertCell().textContent = cell
  return line
}

function show(kind, text) {
  $('status').className = `status ${kind}`
  $('status').textContent = text
}

// ?say=... starts a run, ?streaming=... chooses the mode: for links and screenshots.
const query = new URLSearchParams(location.search)
const mode = document.querySelector(`[name=streaming][value="${CSS.escape(query.get('streaming') ?? 'window')}"]`)
if (mode) mode.checked = true
if (query.has('say')) await run(query.get('say'))
