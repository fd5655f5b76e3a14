// Writes an image of a turn into a prompt: as the model's own token, or as Markdown that the container replaces. Text
// Generation Inference looks for `![](...)` in `inputs`, fetches or decodes the image, and puts the model's token
// there.
import { LlamaGuardError } from '../../errors.js'
import type { Image } from '../../types.js'

/**
 * `token` prints the template's `<|image|>`; `markdown` prints the image itself, for containers that take
 * images inside raw `inputs`.
 */
export type ImageForm = 'token' | 'markdown'

/** The one form of data URL the container decodes: a media type, no parameters, plain base64. */
const DATA_URL = /^data:image\/[\w.+-]+;base64,[A-Za-z0-9+/]+={0,2}$/

export function imageText(image: Image, form: ImageForm): string {
  return form === 'token' ? '<|image|>' : `![](${address(image.url)})`
}

/**
 * The URL of an image. It cannot end the Markdown early or carry markup.
 * @throws LlamaGuardError `unsupported_content` for a URL that the container would not read.
 */
function address(url: string): string {
  if (DATA_URL.test(url)) return url
  if (/^https?:\/\//.test(url)) return url.replace(/[\s()<>|\p{Cc}\p{Cs}]/gu, percent)
  throw new LlamaGuardError(
    'unsupported_content',
    'An image is neither an http(s) URL nor a base64 data URL such as "data:image/png;base64,...". ' +
      'Send it as one of these.',
  )
}

function percent(character: string): string {
  return Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
