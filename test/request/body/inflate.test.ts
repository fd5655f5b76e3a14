// Compressed bodies that are far longer than they look: no more of them is decoded than the limit, whatever they are.
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'
import express from 'express'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { onNode } from '../../helpers/apps.js'
import { serve } from '../../helpers/http.js'
import { chat, forget, form, handled, handler, json, LIMIT, ours, sendRaw, serving } from '../planted.js'

const { BROTLI_PARAM_QUALITY } = zlib.constants
const CODINGS = {
  gzip: (text: string) => zlib.gzipSync(text),
  deflate: (text: string) => zlib.deflateSync(text),
  br: (text: string) => zlib.brotliCompressSync(text, { params: { [BROTLI_PARAM_QUALITY]: 4 } }),
}
const LONG = 'x'.repeat(40 * LIMIT)
const UPLOAD = 'multipart/form-data; boundary=x'
const HEAD = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n'
/** What is read whole is refused. Of the rest only the beginning is read. */
const BODIES = [
  { what: 'JSON', type: json, body: `{"a":"${LONG}"}`, status: 413 },
  { what: 'JSON of no type', type: undefined, body: `[{"a":"${LONG}"}]`, status: 413 },
  { what: 'blanks', type: json, body: LONG.replaceAll('x', ' '), status: 413 },
  { what: 'a form', type: form, body: `a=${LONG}`, status: 413 },
  { what: 'a form that begins like JSON', type: form, body: `{${LONG}`, status: 413 },
  { what: 'an upload that begins like JSON', type: UPLOAD, body: `{${LONG}`, status: 413 },
  { what: 'an upload', type: UPLOAD, body: HEAD + LONG, status: 200 },
  { what: 'text', type: 'text/plain', body: LONG, status: 200 },
  { what: 'data', type: 'application/octet-stream', body: LONG, status: 200 },
]

const server = serving(onNode([ours()], handler))
const late = serving(onNode([(_req, _res, next) => void setTimeout(next, 30), ours()], handler))
afterEach(() => void vi.restoreAllMocks())

/** Counts the bytes that decoders give while requests are read. */
function countDecoded(): () => number {
  let bytes = 0
  const counted = <T extends Transform>(decoder: T): T => {
    decoder.on('data', (chunk: Buffer) => void (bytes += chunk.length))
    return decoder
  }
  const { createGunzip, createInflate, createBrotliDecompress } = zlib
  vi.spyOn(zlib, 'createGunzip').mockImplementation((options) => counted(createGunzip(options)))
  vi.spyOn(zlib, 'createInflate').mockImplementation((options) => counted(createInflate(options)))
  vi.spyOn(zlib, 'createBrotliDecompress').mockImplementation((options) => counted(createBrotliDecompress(options)))
  return () => bytes
}

describe.each(Object.entries(CODINGS))('A body made small by %s', (coding, compress) => {
  it.each(BODIES)('that is $what is decoded up to the limit.', async ({ type, body, status }) => {
    const sent = compress(body)
    // A body may have arrived as a whole before it is read.
    for (const running of [server(), late()]) {
      forget()
      const decoded = countDecoded()
      expect(await sendRaw(running, { type, headers: { 'content-encoding': coding }, body: sent })).toBe(status)
      expect(decoded()).toBeGreaterThan(0)
      expect(decoded()).toBeLessThan(2 * LIMIT)
      expect(handled.map(({ raw }) => raw)).toEqual(status === 200 ? [sent.toString('latin1')] : [])
      vi.restoreAllMocks()
    }
  })

  it('is refused when its bytes were left undecoded and are more than the limit.', async () => {
    const left = await serve(
      express().use(
        (req, _res, next) => {
          const chunks: Buffer[] = []
          req.on('data', (chunk: Buffer) => chunks.push(chunk))
          req.on('end', () => next(void (req.body = Buffer.concat(chunks))))
        },
        ours(),
        handler,
      ),
    )
    const headers = { 'content-encoding': coding }
    for (const more of [LONG, ' '.repeat(LIMIT)])
      expect(await sendRaw(left, { type: json, headers, body: compress(chat + more) })).toBe(413)
    expect(handled).toEqual([])
    expect(await sendRaw(left, { type: json, headers, body: compress(chat) })).toBe(200)
    await left.close()
  })
})
