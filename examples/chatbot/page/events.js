/* eslint-env browser */
// Reads a stream of server-sent events from a fetch response: the parsed data of each, without the closing [DONE].
export async function* readEvents(response) {
  let rest = ''
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + text).split('\n\n')
    rest = events.pop()
    for (const event of events) {
      const data = event.replace(/^data: /, '')
      if (data !== '[DONE]') yield JSON.parse(data)
    }
  }
}
