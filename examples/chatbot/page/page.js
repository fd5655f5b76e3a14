/* eslint-env browser */
// The page: sends the talk to the guarded API and shows the reply, the status and what the guard said in its headers.
import { readEvents } from './events.js'
import { blockedBy, BROKEN_OFF, problemOf, UNREACHABLE } from './problem.js'

const $ = (id) => document.getElementById(id)
/** What the bot has heard and said. Blocked words are not kept: the next request would carry them again. */
const talk = []

for (const chip of document.querySelectorAll('[data-say]')) {
  chip.addEventListener('click', () => say(chip.dataset.say))
}
$('form').addEventListener('submit', (event) => {
  event.preventDefault()
  say($('text').value.trim())
})
$('text').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault()
    $('form').requestSubmit()
  }
})

$('stop').addEventListener('click', () => running?.abort())

/** Aborts the request under way; undefined when there is none. */
let running
async function say(content, asked = undefined) {
  if (content === '' || running) return
  setRunning(new AbortController())
  asked ??= bubble('user', content)
  const waiting = bubble('pending', 'Waiting for the reply…')
  $('text').value = ''
  // What the guard said of the message before must not stand beside this one.
  for (const id of ['verdict', 'raw']) $(id).textContent = '–'
  show({ kind: '', status: 'Waiting for the reply' })
  try {
    const reply = await ask(content, waiting)
    if (typeof reply === 'string') talk.push({ role: 'user', content }, { role: 'assistant', content: reply })
    else refused(reply, asked, () => say(content, asked))
  } finally {
    waiting.remove()
    setRunning(undefined)
  }
}

/** The text of the reply, or what went wrong. */
async function ask(content, waiting) {
  const { signal } = running
  let started = false
  try {
    const response = await fetch('/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ stream: $('stream').checked, messages: [...talk, { role: 'user', content }] }),
      signal,
    })
    showHeaders(response)
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return await whole(response)
    started = true
    waiting.remove()
    return await streamed(response)
  } catch {
    if (signal.aborted) return { kind: 'stopped', title: 'Stopped', words: 'You stopped the reply.' }
    return started ? BROKEN_OFF : UNREACHABLE
  }
}

async function whole(response) {
  const text = await response.text()
  $('raw').textContent = text
  const content = contentOf(text)
  if (!response.ok || content === undefined) {
    const problem = problemOf(text, response.status)
    const cut = problem.kind !== 'blocked' ? undefined : problem.stage === 'input' ? 'the message' : 'the whole reply'
    return { ...problem, status: response.status, cut }
  }
  bubble('bot', content)
  show({ kind: 'good', status: `${response.status} Allowed`, stage: 'input and output judged' })
  return content
}

/** The text of a chat completion; undefined for anything else. */
function contentOf(text) {
  try {
    return JSON.parse(text).choices[0].message.content
  } catch {
    return undefined
  }
}

async function streamed(response) {
  const item = bubble('bot', '')
  let text = ''
  let note
  let ended = false
  const raw = []
  try {
    for await (const event of readEvents(response)) {
      raw.push(`data: ${JSON.stringify(event)}`)
      if (event.error) return { ...BROKEN_OFF, cut: `the rest of the reply, after ${text.length} characters` }
      text += event.choices?.[0]?.delta?.content ?? ''
      ended ||= Boolean(event.choices?.[0]?.finish_reason)
      note = event.llama_guard ?? note
      item.textContent = text
      scrollDown()
    }
  } finally {
    if (text === '') item.remove()
    $('raw').textContent = raw.join('\n')
  }
  const cut = `the rest of the reply, after ${text.length} characters`
  if (note) return { ...blockedBy(note, true), status: '200, then cut by the guard', cut }
  if (!ended) return { ...BROKEN_OFF, cut }
  show({ kind: 'good', status: `${response.status} Allowed`, stage: 'input and output judged' })
  return text
}

/** Shows what went wrong, and a way to try again where that can help. */
function refused({ kind, title, words, status, stage, categories, cut }, asked, again) {
  if (kind === 'blocked' && stage === 'input') asked.classList.add('struck')
  const item = bubble(`notice ${kind}`, '')
  const heading = document.createElement('strong')
  heading.textContent = title
  item.append(heading, ` ${words}`)
  if (kind !== 'blocked') item.append(retryButton(item, again))
  show({
    kind: kind === 'blocked' ? 'bad' : 'warn',
    status: typeof status === 'number' ? `${status} ${title}` : (status ?? title),
    stage,
    categories: categories?.map(({ code, name }) => `${name} (${code})`).join(', '),
    cut,
  })
  scrollDown()
}

function retryButton(item, again) {
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = 'Try again'
  button.addEventListener('click', () => {
    if (running) return
    item.remove()
    again()
  })
  return button
}

function showHeaders({ headers }) {
  $('verdict').textContent = headers.get('llama-guard') ?? '–'
}

function show({ kind, status, stage, categories, cut }) {
  $('status').className = `status ${kind}`
  $('status').textContent = status
  $('stage').textContent = stage ?? '–'
  $('cut').textContent = cut ?? (kind === 'good' ? 'nothing' : '–')
  $('categories').textContent = categories || (kind === 'good' ? 'none' : '–')
}

function bubble(kind, text) {
  const item = document.createElement('li')
  item.className = kind
  item.textContent = text
  $('talk').append(item)
  scrollDown()
  return item
}

function scrollDown() {
  $('talk').scrollTop = $('talk').scrollHeight
}

/** While a request runs, Stop stands in the place of Send. The focus stays with the writer. */
function setRunning(controller) {
  running = controller
  $('send').hidden = running !== undefined
  $('stop').hidden = running === undefined
  for (const chip of document.querySelectorAll('[data-say]')) chip.disabled = running !== undefined
  if (!running) $('text').focus()
}

try {
  const about = await (await fetch('/about')).json()
  $('guard').textContent = `Guard: ${about.guard}`
  $('guard').classList.toggle('baseline', about.local)
} catch {
  $('guard').textContent = 'Guard: unknown'
}

// ?say=... sends a first message, ?stream=1 ticks the box: for links and screenshots.
const query = new URLSearchParams(location.search)
$('stream').checked = query.has('stream')
if (query.has('say')) await say(query.get('say'))
