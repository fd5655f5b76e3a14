// Which images of a conversation stand in one prompt, for models that take only a few.
import type { Conversation, Image, Turn } from '../../types.js'
import type { ImageSupport } from './template.js'

/**
 * The judged turn's images in groups of as many as one prompt takes. Each group begins with the last image of the
 * group before, so that two neighbouring images that form one picture are seen together.
 */
export function imageGroups(
  all: readonly Image[],
  total: number,
  images: ImageSupport | undefined,
  most: number,
): readonly (readonly Image[])[] {
  const size = images === undefined ? all.length : Math.min(images.perPrompt, Math.floor(total / 2 / images.tokens))
  if (all.length <= size || all.length === 0) return [all]
  const groups: (readonly Image[])[] = []
  const step = Math.max(1, size - 1)
  // The loop stops one group past `most`, and the caller refuses the turn.
  for (let at = 0; groups.length <= most && (at === 0 || at < all.length - (size > 1 ? 1 : 0)); at += step)
    groups.push(all.slice(at, at + Math.max(1, size)))
  return groups
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
