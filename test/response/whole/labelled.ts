// A server whose replies carry whatever label and bytes a test gives, behind a guard that knows a word in UTF-16.
import type { OutgoingHttpHeaders } from 'node:http'
import { afterAll, beforeAll } from 'vitest'
import { ask, guarded, onNode } from '../../helpers/apps.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat, serve, type Reply, type Running } from '../../helpers/http.js'

/** In UTF-16 these two letters are four letters of ASCII, so that the bytes are sound UTF-8 too. */
export const WIDE = '流水'
export const le = (text: string): Buffer => Buffer.from(text, 'utf16le')
export const be = (text: string): Buffer => le(text).swap16()
export const LE_MARK = Buffer.from([0xff, 0xfe])
export const BE_MARK = Buffer.from([0xfe, 0xff])
export const LABELS = ['utf-16', 'utf-16le', 'utf-16be', 'latin1', 'gbk', 'shift_jis'] as const

export const UNREADABLE = [503, 'unreadable_response']
export const BLOCKED = [451, 'content_filter']
export const codeOf = ({ status, text }: Reply): unknown[] => [
  status,
  (JSON.parse(text) as { error?: { code?: string } }).error?.code,
]

export const wideGuard = () => guarded({ guard: markerGuard({ marker: /UNSAFE|流水/ }) })

/** Asks for a reply with this content-type, of several lines where it is a list. */
export function labelled(): (type: string | readonly string[], bytes: Buffer | string) => Promise<Reply> {
  let server: Running
  let headers: OutgoingHttpHeaders
  let body: Buffer | string
  beforeAll(async () => {
    server = await serve(onNode([wideGuard()], (_req, res) => void res.writeHead(200, headers).end(body)))
  })
  afterAll(() => server.close())
  return (type, bytes) => {
    headers = { 'content-type': type as string[] }
    body = bytes
    return ask(`${server.url}/v1/chat/completions`, { body: chat('hi') })
  }
}
