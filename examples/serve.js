// How every example listens and stops: PORT and HOST from the environment, a URL to open, an end that lets
// replies finish.
import { once } from 'node:events'

/**
 * Starts `app`, prints what `banner(url)` says, and closes server and guard on Ctrl-C or SIGTERM.
 * PORT 0 takes a free port. Only this machine can connect unless HOST says otherwise.
 */
export async function serve(app, guard, banner) {
  const host = process.env.HOST || '127.0.0.1'
  const server = app.listen(Number(process.env.PORT || 3000), host)
  try {
    await once(server, 'listening')
  } catch (error) {
    console.error(
      error.code === 'EADDRINUSE' ? `Port ${error.port} is in use. Choose another: PORT=3001.` : error.message,
    )
    process.exit(1)
  }
  const url = `http://${host === '127.0.0.1' ? 'localhost' : host}:${server.address().port}`
  console.log(banner(url))

  let stopping = false
  async function stop() {
    if (stopping) process.exit(1)
    stopping = true
    server.close()
    server.closeIdleConnections()
    // A page that listens to events never lets go by itself.
    const patience = setTimeout(() => server.closeAllConnections(), 3000)
    await once(server, 'close')
    clearTimeout(patience)
    await guard.close()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return server
}

/** A curl command that sends one chat message. */
export function curl(url, content, extra = {}) {
  return curlBody(url, { ...extra, messages: [{ role: 'user', content }] }, extra.stream)
}

/** A curl command that sends a JSON body. */
export function curlBody(url, body, stream = false) {
  const json = JSON.stringify(body).replaceAll("'", "'\\''")
  return `curl -i${stream ? 'N' : ''} ${url} -H 'content-type: application/json' -d '${json}'`
}
