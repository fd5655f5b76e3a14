// The files that another middleware (multer, express-fileupload) has taken from an upload and left on the request. The
// handler reads their names and their content.
import { isUtf8 } from 'node:buffer'
import { isWellKnown, TEXT_TYPE } from '../../dialects/kit/media.js'
import type { GuardedRequest } from '../../types.js'
import { isObject } from '../../utils/json.js'

const IMAGE = /^image\/[\w.+-]+$/i
/** Data of this type is refused where it would have to be judged. */
const UNREADABLE = 'data:application/octet-stream;base64,'

/** A file, with its text or its picture as the readers of a body know them. */
export interface Upload {
  readonly name: unknown
  readonly filename: unknown
  /** The client's, where it is in no usual form. */
  readonly mimeType?: unknown
  readonly data: string
}

/** `limit` is the most bytes that are read of a file. */
export function uploads(req: GuardedRequest, limit: number): readonly Upload[] {
  const { file, files } = req as { readonly file?: unknown; readonly files?: unknown }
  if (file === undefined && files === undefined) return []
  const lists = isObject(files) ? Object.values(files) : [files]
  return [file, ...lists]
    .flat()
    .filter(isObject)
    .map((each) => toUpload(each, limit))
}

function toUpload(file: Record<string, unknown>, limit: number): Upload {
  const { fieldname, originalname, originalFilename, name, mimetype, buffer, data } = file
  const bytes = [buffer, data].find((held) => held instanceof Uint8Array && held.length > 0)
  return {
    name: fieldname,
    filename: originalname ?? originalFilename ?? name,
    ...(!isWellKnown(String(mimetype)) && { mimeType: mimetype }),
    data: bytes instanceof Uint8Array && bytes.length <= limit ? contentOf(bytes, String(mimetype)) : UNREADABLE,
  }
}

function contentOf(bytes: Uint8Array, type: string): string {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (IMAGE.test(type)) return `data:${type};base64,${content.toString('base64')}`
  // Text with a NUL is rather UTF-16.
  return TEXT_TYPE.test(type) && isUtf8(bytes) && !bytes.includes(0) ? content.toString('utf8') : UNREADABLE
}
