// The script of the playground, an ES module of its own: without a playground the page does not load it.
export const PLAYGROUND_SCRIPT = String.raw`// The playground: sends a conversation to one guard or two, and shows what each says.
const $ = (id) => document.getElementById(id)
const turns = $('turns')
const [first, second] = $('ask').querySelectorAll('fieldset')
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 3 })
const VERDICTS = { safe: '✓ Safe', unsafe: '✕ Unsafe', unjudged: '? Not judged' }
const ACTIONS = { allow: 'would pass', block: 'would be blocked', unavailable: 'would be refused as not judged' }

function addTurn(role) {
  const item = $('turn').content.firstElementChild.cloneNode(true)
  item.querySelector('select').value = role
  item.querySelector('button').addEventListener('click', () => {
    item.remove()
    mark()
    turns.lastElementChild.querySelector('textarea').focus()
  })
  item.querySelector('textarea').addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) $('ask').requestSubmit()
  })
  turns.append(item)
  mark()
  return item
}

/** Says which turn is judged, and numbers the fields for those who hear them. */
function mark() {
  const items = [...turns.children]
  items.forEach((item, index) => {
    const place = 'turn ' + (index + 1)
    item.querySelector('select').ariaLabel = 'Role of ' + place
    item.querySelector('textarea').ariaLabel = 'Text of ' + place
    item.querySelector('button').ariaLabel = 'Remove ' + place
    item.querySelector('button').hidden = items.length === 1
    item.querySelector('.last').hidden = index < items.length - 1
  })
}

/** A guard that reads no prompt takes neither a policy nor the wish for a score. */
function settle(side) {
  const [chosen] = side.querySelector('select').selectedOptions
  for (const box of side.querySelectorAll('input')) {
    box.disabled = chosen.dataset.policy !== 'true'
    if (box.disabled) box.checked = false
  }
}

function sideOf(fields) {
  const guard = fields.querySelector('select').value
  const checked = (name) => fields.querySelector('[name=' + name + ']').checked
  return guard && { guard, ownPolicy: checked('ownPolicy'), scores: checked('scores') }
}

async function judge() {
  const conversation = [...turns.children].map((item) => ({
    role: item.querySelector('select').value,
    text: item.querySelector('textarea').value,
  }))
  const empty = [...turns.querySelectorAll('textarea')].find(({ value }) => value.trim() === '')
  if (empty) {
    empty.focus()
    return say('Write a text first.', 'warn')
  }
  const sides = [sideOf(first), sideOf(second)].filter(Boolean)
  $('judge').disabled = true
  $('results').replaceChildren()
  say('Asking the guard')
  try {
    await ask({ conversation, sides, policy: $('policy').value.trim() || undefined })
  } catch {
    say('The server cannot be reached.', 'warn')
  } finally {
    $('judge').disabled = false
  }
}

async function ask(question) {
  const response = await fetch('?playground', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
  })
  if (response.status === 401) return location.reload()
  const answer = await response.json().catch(() => ({}))
  const blocked = "The app's guard blocked this question on its way here. Mount guard.dashboard() before the guard."
  if (response.status === 451) return say(blocked, 'warn')
  if (!answer.results) return say(answer.error?.message ?? 'The server answered ' + response.status + '.', 'warn')
  const { results } = answer
  $('results').replaceChildren(...results.map(article))
  say(summary(results))
}

function summary([one, other]) {
  if (!other) return 'Done: ' + one.verdict + '.'
  const agree = one.verdict === other.verdict
  return agree ? 'Both say ' + one.verdict + '.' : 'They differ: ' + one.verdict + ' and ' + other.verdict + '.'
}

function article(result) {
  const box = element('article', undefined, 'result ' + result.verdict)
  const { categories, score, judgedBy, ms, tokens, error, prompts } = result
  box.append(
    element('h3', result.guard),
    element('p', VERDICTS[result.verdict] + ' – ' + ACTIONS[result.action], 'verdict'),
  )
  const named = categories.map(({ code, name }) => (name && name !== code ? code + ' ' + name : code)).join(', ')
  const facts = [
    ['Categories', named || 'none'],
    ['Score', score === undefined ? 'not given' : number.format(score)],
    ['Latency', number.format(Math.round(ms * 10) / 10) + ' ms'],
    ['Judged by', judgedBy],
    ['Tokens read, written', tokens && (tokens.input ?? '–') + ', ' + (tokens.output ?? '–')],
    ['Failure', error && error.code + ': ' + error.message],
  ].filter(([, value]) => value !== undefined)
  const list = element('dl')
  for (const [name, value] of facts) {
    const pair = element('div')
    pair.append(element('dt', name), element('dd', value))
    list.append(pair)
  }
  box.append(list, ...prompts.map((prompt, index) => promptBox(prompt, index, prompts.length)))
  if (prompts.length === 0) box.append(element('p', 'This guard reads no prompt.', 'hint'))
  return box
}

function promptBox({ model, text }, index, count) {
  const box = element('details')
  const place = count > 1 ? ' ' + (index + 1) + ' of ' + count : ''
  const shown = element('pre', text)
  shown.tabIndex = 0
  shown.setAttribute('aria-label', 'Prompt' + place)
  box.append(
    element('summary', 'Prompt' + place + ' for ' + model + ', ' + number.format(text.length) + ' characters'),
    shown,
  )
  return box
}

function element(name, text, className) {
  const made = document.createElement(name)
  if (text !== undefined) made.textContent = text
  if (className) made.className = className
  return made
}

function say(words, kind = '') {
  $('said').className = kind
  $('said').textContent = words
}

$('ask').addEventListener('submit', (event) => {
  event.preventDefault()
  if (!$('judge').disabled) judge()
})
$('addTurn').addEventListener('click', () => {
  const role = turns.lastElementChild.querySelector('select').value === 'User' ? 'Agent' : 'User'
  addTurn(role).querySelector('textarea').focus()
})
for (const side of [first, second]) {
  side.querySelector('select').addEventListener('change', () => settle(side))
  settle(side)
  side.querySelector('[name=ownPolicy]').addEventListener('change', ({ target }) => {
    if (target.checked) $('policyBox').open = true
  })
}
addTurn('User')
`
