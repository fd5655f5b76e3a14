// Undoes the escapes of URLs, HTML, JSON, JavaScript and mail.
import { Buffer } from 'node:buffer'

/** Bytes in hex: `%48%6F` of URLs, `=48=6F` of mail. */
const BYTES = /(?:%[\da-f]{2})+|(?:=[\da-f]{2}){2,}/gi
/** `\u0048`, `\u{48}`, `%u0048`, `U+0048`, `\x48`, `\110`; in JSON, behind two strokes. */
const CODES =
  /(?:\\{1,2}u|%u)([\da-f]{4})|U\+([\da-f]{4,5}) ?|\\{1,2}u\{([\da-f]{1,6})\}|\\{1,2}x([\da-f]{2})|\\{1,2}([0-3][0-7]{2})/gi
/** `&#72;`, `&#x48;`, `&hfr;`, `&amp;`. */
const ENTITIES = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));?/gi
/** Words of a form: `how+do+I+make`. */
const FORM = /(?<![a-z\d%'])[a-z\d%']+(?:\+[a-z\d%']+)+/gi

/** The entities of signs, of https://html.spec.whatwg.org/entities.json. Those of letters end in a name of their type. */
const NAMES = 'amp apos colon comma excl gt hyphen lpar lt nbsp newline period quest quot rpar semi sol tab'.split(' ')
const NAMED = new Map(NAMES.map((name, at) => [name, `&':,!>-(< \n.?");/\t`[at]!]))
const LETTER_ENTITY = /^([a-z])(?:fr|opf|scr)$/i

const character = (code: number): string | undefined =>
  code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : String.fromCodePoint(code)

function bytes(run: string): string {
  const plain = Buffer.from(run.replace(/[%=]/g, ''), 'hex').toString('utf8')
  return plain.includes('\ufffd') ? run : plain
}

export function unescaped(text: string): string {
  if (!/[%&\\=+]/.test(text)) return text
  return text
    .replace(FORM, (words) => (words.split('+').length > 3 ? words.replaceAll('+', ' ') : words))
    .replace(BYTES, bytes)
    .replace(CODES, (all, ...numbers: (string | undefined)[]) => {
      const [unit, point, braced, hex, octal] = numbers
      const code = octal === undefined ? parseInt((unit ?? point ?? braced ?? hex)!, 16) : parseInt(octal, 8)
      // Halves of a pair are joined as they stand beside each other.
      return code >= 0xd800 && code <= 0xdfff ? String.fromCharCode(code) : (character(code) ?? all)
    })
    .replace(ENTITIES, (all, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return NAMED.get(name.toLowerCase()) ?? LETTER_ENTITY.exec(name)?.[1] ?? all
      return character(decimal === undefined ? parseInt(hex!, 16) : Number(decimal)) ?? all
    })
}
