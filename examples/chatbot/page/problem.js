// What an answer that is no reply means, in words for the person who asked.
// Kinds: `blocked` by the content policy; `unjudged`, nobody could tell, so trying again may help; `failed`, the rest.

export const UNREACHABLE = {
  kind: 'failed',
  title: 'No connection',
  words: 'The server cannot be reached. Check your connection and try again.',
}

/** A stream that ended with an error or with the connection. */
export const BROKEN_OFF = {
  kind: 'unjudged',
  title: 'The reply broke off',
  words: 'The rest could not be checked or did not arrive. Try again.',
}

/** The body of a response that is no reply, as `{ kind, title, words }`, with the stage and categories of a block. */
export function problemOf(text, status) {
  const error = errorIn(text)
  if (error?.code === 'content_filter') return blockedBy(error)
  if (error?.type === 'guard_unavailable') return unjudged(error)
  const number = status === undefined ? '' : ` (status ${status})`
  const words = error?.message ?? `The server answered with something that is no reply${number}. Try again in a moment.`
  return { kind: 'failed', title: 'No reply', words }
}

/** A block, from an error or from the `llama_guard` note at the end of a stream, which was cut. */
export function blockedBy({ stage, categories = [] }, cut = false) {
  const what = stage === 'input' ? 'The message was not sent on.' : 'The reply is not shown.'
  const names = categories.map(({ name, code }) => `${name} (${code})`).join(', ')
  return {
    kind: 'blocked',
    title: 'Blocked by the content policy',
    words: `${cut ? 'The rest of the reply is not shown.' : what}${names && ` Reason: ${names}.`}`,
    stage,
    categories,
  }
}

function unjudged({ stage }) {
  const what = stage === 'input' ? 'Your message' : 'The reply'
  return {
    kind: 'unjudged',
    title: 'Not checked',
    words: `${what} could not be checked just now. That says nothing about what you wrote. Try again in a moment.`,
  }
}

function errorIn(text) {
  try {
    const { error } = JSON.parse(text)
    return typeof error?.message === 'string' ? error : undefined
  } catch {
    return undefined
  }
}
