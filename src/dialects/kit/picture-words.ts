// The words of an image that no guard looks at: its address, and what stands in place of its data.
import { Buffer, isUtf8 } from 'node:buffer'
import type { Image } from '../../types.js'

/** The head of inline data with no words in it. */
const HEAD = /^data:image\/(?:png|jpe?g|gif|webp|bmp|tiff|avif|hei[cf]|(?:x-|vnd\.microsoft\.)icon);base64,/i
/** The first characters of the base64 of JPEG, GIF, WebP, PNG, BMP, TIFF, AVIF and HEIC, and icons. */
const PICTURE = /^(?:\/9j\/|R0lG|UklGR|iVBORw0KGgo|Qk[0-3]|SUkqA|TU0AK|AAAA[A-P]GZ0eXB|AAABA)[\w+/=\r\n-]+$/
/** Shorter data costs little to judge, and a text that only begins like an image is rarely longer. */
const SHORT = 4096

/** Empty for inline data that is an image by its first bytes. */
export function pictureWords({ url }: Image): string {
  const head = HEAD.exec(url)?.[0]
  if (head === undefined) return url
  const data = url.slice(head.length)
  if (PICTURE.test(data) && data.length > SHORT) return ''
  const bytes = Buffer.from(data, 'base64')
  return isUtf8(bytes) ? `${data}\n${bytes.toString('utf8')}` : data
}
