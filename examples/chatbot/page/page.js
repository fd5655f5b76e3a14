/* eslint-env browser */
// The page: sends the talk to the guarded API and shows the reply, the status and what the guard said in its headers.
import { readEvents } from './events.js'

const $ = (id) => document.getElementById(id)
/** What the bot has heard and said. Blocked words are not kept: the next request would carry them again. */
const talk = []

const about = await (await fetch('/about')).json()
$('guard').textContent = `Guard: ${about.guard}`
$('guard').classList.toggle('baseline', about.local)

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

let busy = false
async function say(content) {
  if (content === '' || busy) return
  setBusy(true)
  const asked = bubble('user', content)
  $('text').value = ''
  try {
    const response = await fetch('/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ stream: $('stream').checked, messages: [...talk, { role: 'user', content }] }),
    })
    showHeaders(response)
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
    const reply = isStream ? await streamed(response) : await whole(response)
    if (reply === undefined) asked.classList.add('struck')
    else talk.push({ role: 'user', content }, { role: 'assistant', content: reply })
  } catch (error) {
    show({ kind: 'warn', status: 'No answer', stage: error.message })
  } finally {
    setBusy(false)
  }
}

/** The reply's text, or undefined when it was refused. */
async function whole(response) {
  const body = await response.json()
  $('raw').textContent = JSON.stringify(body, null, 2)
  if (!response.ok) return refused(response.status, body.error)
  const { content } = body.choices[0].message
  bubble('bot', content)
  show({ kind: 'good', status: `${response.status} Allowed`, stage: 'input and output judged' })
  return content
}

async function streamed(response) {
  const item = bubble('bot', '')
  let text = ''
  let note
  const raw = []
  for await (const event of readEvents(response)) {
    raw.push(`data: ${JSON.stringify(event)}`)
    if (event.error) return refused(response.status, event.error, item)
    text += event.choices?.[0]?.delta?.content ?? ''
    note = event.llama_guard ?? note
    item.textContent = text
    $('talk').scrollTop = $('talk').scrollHeight
  }
  $('raw').textContent = raw.join('\n')
  if (note)
    return refused(response.status, {
      ...note,
      message: 'The rest was blocked by the content policy.',
      code: 'content_filter',
    })
  show({ kind: 'good', status: `${response.status} Allowed`, stage: 'input and output judged' })
  return text
}

function refused(status, error, item = bubble('refused', '')) {
  item.className = 'refused'
  item.textContent = error.message
  const blocked = error.code === 'content_filter'
  show({
    kind: blocked ? 'bad' : 'warn',
    status: status === 200 ? '200, then cut by the guard' : `${status} ${blocked ? 'Blocked' : 'Not answered'}`,
    stage: error.stage ?? error.code,
    categories: error.categories?.map(({ code, name }) => `${name} (${code})`).join(', '),
  })
  return undefined
}

function showHeaders({ headers }) {
  $('verdict').textContent = headers.get('llama-guard') ?? '–'
  $('timing').textContent = headers.get('server-timing') ?? '–'
}

function show({ kind, status, stage, categories }) {
  $('status').className = `status ${kind}`
  $('status').textContent = status
  $('stage').textContent = stage ?? '–'
  $('categories').textContent = categories || 'none'
}

function bubble(kind, text) {
  const item = document.createElement('li')
  item.className = kind
  item.textContent = text
  $('talk').append(item)
  $('talk').scrollTop = $('talk').scrollHeight
  return item
}

function setBusy(now) {
  busy = now
  $('send').disabled = now
  if (!now) $('text').focus()
}

// ?say=... sends a first message, ?stream=1 ticks the box: for links and screenshots.
const query = new URLSearchParams(location.search)
$('stream').checked = query.has('stream')
if (query.has('say')) await say(query.get('say'))
