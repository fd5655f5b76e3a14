// Images in a prompt: written as the model's own token, or as Markdown that the container replaces; and which images
// stand in one prompt, for models that take only a few. Text Generation Inference looks for `![](...)` in `inputs`,
// fetches or decodes the image, and puts the model's token there.
import { unsupportedContent } from '../../types/errors.js'
import type { Conversation, Image, Turn } from '../../types.js'
import type { ImageSupport } from './template.js'

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
  throw unsupportedContent(
    'An image is neither an http(s) URL nor a base64 data URL such as "data:image/png;base64,...". ' +
      'Send it as one of these.',
  )
}

function percent(character: string): string {
  return Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/** The judged turn's images in groups of as many as one prompt takes. The caller refuses more than `most` groups. */
export function imageGroups(
  all: readonly Image[],
  total: number,
  images: ImageSupport | undefined,
  most: number,
): readonly (readonly Image[])[] {
  const room = images === undefined ? all.length : Math.min(images.perPrompt, Math.floor(total / 2 / images.tokens))
  if (all.length <= room || all.length === 0) return [all]
  const size = Math.max(1, room)
  const groups = Math.min(Math.ceil(all.length / size), most + 1)
  return Array.from({ length: groups }, (_, at) => all.slice(at * size, (at + 1) * size))
}

/**
 * The context for a model that takes one image: without images when the judged turn has one, otherwise with its
 * newest image only.
 */
export function relevantImages(past: Conversation, judged: Turn, images: ImageSupport | undefined): Conversation {
  if (images?.placement !== 'lead' || !past.some((turn) => turn.images?.length)) return past
  const keeper = judged.images?.length ? -1 : past.findLastIndex((turn) => turn.images?.length)
  return past.map((turn, index) => {
    const wanted = index === keeper ? 1 : 0
    return (turn.images?.length ?? 0) === wanted ? turn : turnOf(turn, turn.text, (turn.images ?? []).slice(0, wanted))
  })
}

export function turnOf({ role }: Turn, text: string, images: readonly Image[]): Turn {
  return images.length === 0 ? { role, text } : { role, text, images }
}
