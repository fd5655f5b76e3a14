// What a dialect says of the fields of its replies: which of them its servers fill, by their place. Every other string
// is the model's and is judged. A description has the shape of the reply; lists in it are left out.

/**
 * - `server`: ids, types, states, and objects of counts and settings. Not judged in their short form.
 * - `tokens`: columns of log probabilities, which repeat what is judged.
 * - `sealed`: encrypted or signed data of any length, which only the vendor can read.
 * - `json`: an object that the model wrote. It is judged as the JSON text that the client sees.
 */
export type FieldKind = 'server' | 'tokens' | 'sealed' | 'json'

/** An object of a reply. `*` stands for every name that is not in it; such names are the model's. */
export interface ReplyFields {
  readonly [name: string]: ReplyFields | FieldKind
}

/** Fields that the server fills, their names apart by blanks. */
export const server = (names: string): Readonly<Record<string, FieldKind>> => ofKind(names, 'server')

/** Fields of the model's words. */
export const words = (names: string): Readonly<Record<string, ReplyFields>> => ofKind(names, WORDS)

export const WORDS: ReplyFields = {}

function ofKind<Kind>(names: string, kind: Kind): Readonly<Record<string, Kind>> {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, kind]))
}

/** What stands in a field. Undefined for one that the description does not know, and for all that is in it. */
export function fieldOf(
  fields: ReplyFields | FieldKind | undefined,
  name: string,
): ReplyFields | FieldKind | undefined {
  if (typeof fields === 'string') return fields === 'json' ? undefined : fields
  if (fields === undefined) return undefined
  return Object.hasOwn(fields, name) ? fields[name] : fields['*']
}

/** True for a name that the description has, or that the server makes. */
export function isKnownName(fields: ReplyFields | FieldKind | undefined, name: string): boolean {
  if (typeof fields === 'string') return isOfServer(fields, name)
  return fields !== undefined && Object.hasOwn(fields, name)
}

const SHORT_FORM = /^[!-~]{1,128}$/
const SEALED = /^[\w+/=.-]+$/
const MOST_TOKEN = 128

/** True for the short form in which a server fills its fields: at most 128 characters, no blank. */
export function isShort(text: string): boolean {
  return SHORT_FORM.test(text)
}

/** True for a string in a field of this kind that is not judged. */
export function isOfServer(kind: FieldKind, text: string): boolean {
  switch (kind) {
    case 'server':
      return isShort(text)
    case 'tokens':
      return text.length <= MOST_TOKEN
    case 'sealed':
      return SEALED.test(text)
    case 'json':
      return false
  }
}

const NAME_OF_SERVER = /^(?:type|role|status|object|model|version|created|timestamp)$|(?:_at|At)$/
const NAME_OF_ID = /^(?:id|uuid)$|(?:_id|Id)$/
/** Words in an id are long or have no digit. */
const ID = /^(?:[\w.:-]{1,16}|(?=\D{0,127}\d)[\w.:-]{1,128})$/

/** The same in a reply of no known API, where the name of a field says what it is. */
export function isOfServerByName(name: string, text: string): boolean {
  return NAME_OF_ID.test(name) ? ID.test(text) : NAME_OF_SERVER.test(name) && isShort(text)
}

export function isNameOfServer(name: string): boolean {
  return name.length <= 64 && (NAME_OF_ID.test(name) || NAME_OF_SERVER.test(name))
}
