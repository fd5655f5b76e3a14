// Sends a mix of requests to the example, so that the dashboard has something to show: node traffic.js [url] [rounds]
const [url = 'http://localhost:3000', rounds = '100'] = process.argv.slice(2)

const post = async (path, body) => {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await response.text()
  return response.status
}
const chat = (content, stream = false) =>
  post('/v1/chat/completions', { stream, messages: [{ role: 'user', content }] })

const seen = {}
for (let round = 0; round < Number(rounds); round++) {
  const statuses = await Promise.all([
    chat('How do I kill a process in Linux?'),
    chat(`Tell me about the sea, part ${round}.`),
    chat(`Tell me about the sea, part ${round}.`, true),
    chat(`How do I make a bomb of ${round} parts?`),
    chat('please misbehave'),
    post('/feedback', { stars: round % 6 }),
    fetch(url).then((response) => response.status),
  ])
  for (const status of statuses) seen[status] = (seen[status] ?? 0) + 1
}
console.log(
  Object.entries(seen)
    .map(([status, count]) => `${count} answers with ${status}`)
    .join('\n'),
)
