// Ways of hiding a text, each written without the code that undoes it.
const bytes = (text: string): number[] => [...Buffer.from(text)]
const each = (text: string, way: (letter: string) => string): string => Array.from(text, way).join('')
const letters = (text: string, way: (place: number) => number): string =>
  text.replace(/[a-z]/gi, (letter) => {
    const first = letter < 'a' ? 65 : 97
    return String.fromCharCode(first + (((way(letter.charCodeAt(0) - first) % 26) + 26) % 26))
  })
const from = (table: Readonly<Record<string, string>>) => (text: string) =>
  each(text, (letter) => table[letter] ?? letter)
const pairs = (keys: string, values: string): Record<string, string> =>
  Object.fromEntries(Array.from(values, (value, at) => [keys[at]!, value]))

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz'
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const hex = (text: string): string => Buffer.from(text).toString('hex')
const percent = (text: string): string =>
  bytes(text)
    .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
    .join('')
const rot13 = (text: string): string => letters(text, (place) => place + 13)
const backwards = (text: string): string => Array.from(text).reverse().join('')
const leet = from({ a: '4', e: '3', i: '1', o: '0', s: '5', t: '7', I: '1', A: '4', O: '0', S: '5', T: '7', E: '3' })
const base32 = (text: string): string =>
  bytes(text)
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .match(/.{1,5}/g)!
    .map((bits) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[parseInt(bits.padEnd(5, '0'), 2)])
    .join('')
const MORSE =
  '.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --..'.split(
    ' ',
  )
const morse = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z ]/g, '')
    .split(' ')
    .map((word) => each(word, (letter) => `${MORSE[letter.charCodeAt(0) - 97]!} `).trim())
    .join(' / ')

/** The encodings that must be read, and what else a text may be hidden in. */
export const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  base64,
  base64url: (text) => Buffer.from(text).toString('base64url'),
  hex,
  'hex in capitals with blanks': (text) =>
    bytes(text)
      .map((b) => b.toString(16).toUpperCase())
      .join(' '),
  'hex as in C': (text) =>
    bytes(text)
      .map((b) => `\\x${b.toString(16)}`)
      .join(''),
  'hex numbers': (text) =>
    bytes(text)
      .map((b) => `0x${b.toString(16)}`)
      .join(', '),
  URL: encodeURIComponent,
  'URL, every byte': percent,
  'form of a URL': (text) => new URLSearchParams({ q: text }).toString(),
  HTML: (text) => each(text, (letter) => `&#${letter.codePointAt(0)!};`),
  'HTML in hex': (text) => each(text, (letter) => `&#x${letter.codePointAt(0)!.toString(16)};`),
  rot13,
  Caesar: (text) => letters(text, (place) => place + 3),
  atbash: (text) => letters(text, (place) => 25 - place),
  reversed: backwards,
  'reversed words': (text) => text.replace(/[a-z']+/gi, backwards),
  leet,
  homoglyphs: from(pairs('aeopcxyiAEOPCBHT', 'аеорсхуіАЕОРСВНТ')),
  'Greek homoglyphs': from(pairs('oviatAEHIO', 'ονιατΑΕΗΙΟ')),
  zalgo: (text) => each(text, (letter) => (letter === ' ' ? letter : `${letter}\u0335\u0321\u0313\u035b`)),
  dots: (text) => Array.from(text).join('.'),
  'dots in words': (text) => text.replace(/[a-z']+/gi, (word) => Array.from(word).join('.')),
  spacing: (text) => Array.from(text).join(' '),
  'spacing without words': (text) => Array.from(text.replace(/[^a-z]/gi, '')).join(' '),
  hyphens: (text) => text.replace(/[a-z']+/gi, (word) => Array.from(word).join('-')),
  underscores: (text) => Array.from(text).join('_'),
  fullwidth: (text) =>
    each(text, (letter) => (letter > ' ' ? String.fromCharCode(letter.charCodeAt(0) + 0xfee0) : '\u3000')),
  mathematical: (text) => text.replace(/[a-z]/g, (letter) => String.fromCodePoint(0x1d41a + letter.charCodeAt(0) - 97)),
  circled: (text) => text.toLowerCase().replace(/[a-z]/g, (l) => String.fromCodePoint(0x24d0 + l.charCodeAt(0) - 97)),
  'regional indicators': (text) =>
    text.toLowerCase().replace(/[a-z]/g, (l) => `${String.fromCodePoint(0x1f1e6 + l.charCodeAt(0) - 97)}\u200b`),
  'zero-width': (text) => Array.from(text).join('\u200b'),
  'small capitals': from(pairs('abcdefghijklmnoprtuvwyz', 'ᴀʙᴄᴅᴇғɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ')),
  'upside down': (text) => backwards(from(pairs(ALPHABET, 'ɐqɔpǝɟƃɥᴉɾʞʃɯuodbɹsʇnʌʍxʎz'))(text.toLowerCase())),
  braille: (text) => from(pairs(ALPHABET, '⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵'))(text.toLowerCase()),
  accents: from(pairs('aeiouncsyzAEIOU', 'äéïöùñçšýžÀÊÍÔÜ')),
  'JSON escapes': (text) => each(text, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'braced escapes': (text) => each(text, (letter) => `\\u{${letter.charCodeAt(0).toString(16)}}`),
  'code points': (text) => each(text, (letter) => `U+${letter.charCodeAt(0).toString(16).padStart(4, '0')} `),
  'octal escapes': (text) =>
    bytes(text)
      .map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
      .join(''),
  'quoted-printable': (text) =>
    bytes(text)
      .map((byte) => `=${byte.toString(16).toUpperCase()}`)
      .join(''),
  binary: (text) =>
    bytes(text)
      .map((byte) => byte.toString(2).padStart(8, '0'))
      .join(' '),
  'binary in one piece': (text) =>
    bytes(text)
      .map((byte) => byte.toString(2).padStart(8, '0'))
      .join(''),
  octal: (text) =>
    bytes(text)
      .map((byte) => byte.toString(8).padStart(3, '0'))
      .join(' '),
  decimal: (text) => bytes(text).join(' '),
  'decimal with commas': (text) => `[${bytes(text).join(', ')}]`,
  base32,
  morse,
  'Morse with dots in the middle': (text) => morse(text).replaceAll('.', '·').replaceAll('-', '−'),
  'places in the alphabet': (text) =>
    text
      .toLowerCase()
      .replace(/[^a-z ]/g, '')
      .split(' ')
      .map((word) => Array.from(word, (letter) => letter.charCodeAt(0) - 96).join('-'))
      .join(' '),
  'base64 of two bytes a letter': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  'hex of two bytes a letter': (text) => Buffer.from(text, 'utf16le').toString('hex'),
  'selectors of variants': (text) =>
    `😊${bytes(text)
      .map((byte) => String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16))
      .join('')}`,
  rot47: (text) => text.replace(/[!-~]/g, (sign) => String.fromCharCode(33 + ((sign.charCodeAt(0) + 14) % 94))),
  'base64 twice': (text) => base64(base64(text)),
  'base64 of hex': (text) => base64(hex(text)),
  'hex of base64': (text) => hex(base64(text)),
  'base64 of rot13': (text) => base64(rot13(text)),
  'base64 of reversed': (text) => base64(backwards(text)),
  'rot13 of base64': (text) => rot13(base64(text)),
  'reversed base64': (text) => backwards(base64(text)),
  'reversed rot13': (text) => backwards(rot13(text)),
  'URL of base64': (text) => percent(base64(text)),
  'base64 of URL': (text) => base64(percent(text)),
  'base64 of leet': (text) => base64(leet(text)),
  'base64 of Morse': (text) => base64(morse(text)),
  'HTML of rot13': (text) => each(rot13(text), (letter) => `&#${letter.charCodeAt(0)};`),
  'base64 in lines': (text) => base64(`${text} Answer at length, and leave nothing out.`).replace(/(.{60})/g, '$1\n'),
  'spaced base64': (text) => Array.from(base64(text)).join(' '),
  'fullwidth base64': (text) => each(base64(text), (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)),
}

/** What must stand in a form for it to be readable: letters and digits alone, in small letters. */
export const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z\d]+/g, ' ')
    .trim()
