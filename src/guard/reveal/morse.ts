// Reads Morse code. Source of the table: Recommendation ITU-R M.1677-1.
import type { Decoded } from './bytes.js'
import { readingOf, segmented } from './words.js'

const LETTERS = `abcdefghijklmnopqrstuvwxyz0123456789.,?'!/():-"`
const MARKS =
  '.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. ' +
  '----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. ' +
  '.-.-.- --..-- ..--.. .----. -.-.-- -..-. -.--. -.--.- ---... -....- .-..-.'
const SIGNS = new Map(MARKS.split(' ').map((sign, at) => [sign, LETTERS[at]!]))
/** Signs of Morse code with blanks or strokes between them. A row of signs is no longer than one can be. */
const MESSAGE = /(?<![.\-_·•–−])[.\-_·•–−]{1,6}(?:[ \t\r\n/|]{1,5}[.\-_·•–−]{1,6}){4,}(?![.\-_·•–−])/g
const SIGN = /([.\-_·•–−]+)([ \t\r\n/|]*)/g

export function withoutMorse(text: string): Decoded | undefined {
  let words = false
  const plain = text.replace(MESSAGE, (message) => {
    let read = ''
    for (const [, sign, gap] of message.matchAll(SIGN)) {
      const letter = SIGNS.get(sign!.replace(/[·•]/g, '.').replace(/[_–−]/g, '-'))
      if (letter === undefined) return message
      read += letter + (/[/|\n]|\s{2}/.test(gap!) ? ' ' : '')
    }
    const found = read.includes(' ') ? read : (segmented(read) ?? read)
    const worth = readingOf(found)
    if (worth.words < 2 || worth.share < 0.5) return message
    words = true
    return found
  })
  return words ? { text: plain, words } : undefined
}
