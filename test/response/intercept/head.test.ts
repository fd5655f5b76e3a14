// A head that is kept and sent later is the head that Node would have sent at once.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { keepHead } from '../../../src/response/intercept/calls.js'

function headOf(before: Readonly<Record<string, string>>, write: (res: ServerResponse) => void): string {
  const res = new ServerResponse(new IncomingMessage(new Socket()))
  res.sendDate = false
  for (const [name, value] of Object.entries(before)) res.setHeader(name, value)
  try {
    write(res)
  } catch (error) {
    return `throws ${String((error as NodeJS.ErrnoException).code)}`
  }
  return (res as ServerResponse & { _header: string })._header
}

const ARGUMENTS: Readonly<Record<string, readonly unknown[]>> = {
  'a status': [201],
  'a status as text': ['201'],
  'a status that is none': [42],
  'the status before the first': [99],
  'the first status': [100],
  'the last status': [999],
  'the status behind the last': [1000],
  'a reason': [200, 'Fine'],
  'a reason and headers': [200, 'Fine', { 'x-a': '1', 'X-B': '2' }],
  headers: [200, { 'x-a': '1', 'X-B': ['2', '3'] }],
  'headers behind nothing': [200, undefined, { 'x-a': '1' }],
  'a flat list': [200, ['x-a', '1', 'x-c', '2']],
  'a flat list that names one twice': [200, ['set-cookie', 'a=1', 'set-cookie', 'b=2']],
  'a flat list that lacks a value': [200, ['x-a']],
  'a header that is no token': [200, { 'x a': '1' }],
  'a value with a line end': [200, { 'x-a': '1\r\nx-b: 2' }],
}

/** Node.js 20 takes a list of headers for an object when some are set already. Ours adds a line for each, as later ones do. */
const OLD_LISTS = process.version.startsWith('v20.')

describe.each(Object.entries(ARGUMENTS))('A head of %s', (what, args) => {
  it.each(OLD_LISTS && what.includes('list') ? [[{}]] : [[{}], [{ 'x-a': '0', 'x-z': '9' }]])(
    'is sent later as Node sends it at once, after %j',
    (before) => {
      const atOnce = headOf(before, (res) => void Reflect.apply(res.writeHead, res, args))
      const later = headOf(before, (res) => {
        keepHead(res, args, false)
        res.writeHead(res.statusCode)
      })
      expect(later).toBe(atOnce)
    },
  )
})
