#!/usr/bin/env node
// The executable: real streams, real signals, and the exit code of the command. A second Ctrl-C ends at once.
import process from 'node:process'
import { run } from './index.js'

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => {
    stop.abort()
    process.once(name, () => process.exit(130))
  })
// npx runs a command through a shell. A shell that SIGTERM ends does not pass the signal on, so the command would run
// on without a parent and keep its port. The end of the parent process therefore counts as a signal.
if (process.env['npm_command'] !== undefined && process.platform !== 'win32') {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    stop.abort()
  }, 500)
  watch.unref()
}
// `check ... | head` closes our output early. That is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: stop.signal,
}).then(
  (code) => {
    process.exitCode = code
    // Standard input that nobody read keeps the process alive.
    process.stdin.unref?.()
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exitCode = 3
  },
)
