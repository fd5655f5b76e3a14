// What each unit of UTF-16 is to a word, and what letters may hide behind it.

/** What a character is to a word. */
export const GAP = 0
export const LETTER = 1
/** Digits, and signs that stand for letters as they do: `p@ss`. */
export const DIGIT = 2
/** Holds together what is no word: `%20`, `&#72;`, `\u0048`. */
export const GLUE = 3
export const APOSTROPHE = 4
/** A letter or sign outside ASCII. */
export const OTHER = 5

/** What each unit of UTF-16 is. */
export const SIGNS = new Uint8Array(0x10000).fill(OTHER)
SIGNS.fill(GAP, 0, 0x80)
// Blanks, dashes, quotes and the marks of Chinese and Japanese separate words as those of ASCII do.
const GAPS = [0xa0, 0xa0, 0xb7, 0xb7, 0x2000, 0x200a, 0x2010, 0x2029, 0x2030, 0x205f, 0x2190, 0x23ff, 0x3000, 0x301f]
for (let at = 0; at < GAPS.length; at += 2) SIGNS.fill(GAP, GAPS[at], GAPS[at + 1]! + 1)
for (let code = 0; code < 0x80; code++) {
  const sign = String.fromCharCode(code)
  if (/[a-z]/i.test(sign)) SIGNS[code] = LETTER
  else if (/[\d@$]/.test(sign)) SIGNS[code] = DIGIT
  else if ('%&#\\=+'.includes(sign)) SIGNS[code] = GLUE
}
for (const sign of "'\u2019") SIGNS[sign.charCodeAt(0)] = APOSTROPHE

/** Characters that hide nothing: those of Chinese, Japanese and Korean, drawings, emoji. */
export const PLAIN = 0
/** Latin letters with an accent. */
export const ACCENT = 1
/** Letters of other scripts, which hide a letter only among Latin ones. */
export const SCRIPT = 2
/** Other forms of Latin letters, marks over them, and what nobody sees. */
export const FORM = 3

/** Letters of scripts that have look-alikes of Latin letters: phonetic, Greek, Cyrillic, Armenian, Cherokee. */
export const isAlike = (code: number): boolean =>
  (code >= 0x250 && code < 0x2b0) || (code >= 0x370 && code < 0x590) || (code >= 0x13a0 && code < 0x1400)

/**
 * The first code of each row of characters of one kind, in hex. From d800: the first halves of letters of mathematics,
 * in circles and squares, of flags, and of tags.
 */
const DISGUISES =
  'c0:1 250:3 370:2 1d00:3 1e00:1 1f00:2 2000:3 20a0:0 2100:3 2190:0 2460:3 2500:0 2800:3 2900:0 2c00:2 3040:0 ' +
  '3130:2 3200:0 a4d0:2 ac00:0 d800:3 d83d:0 db40:3 dc00:0 f900:0 fb00:2 fe00:3 fe0f:0 ff10:3 ff1a:0 ff21:3'
export const HIDING = new Uint8Array(0x10000)
for (const row of DISGUISES.split(' ')) HIDING.fill(Number(row.at(-1)), parseInt(row, 16))
HIDING[0xad] = FORM
