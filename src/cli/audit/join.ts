// Puts the texts that an operator keeps beside the rows of the audit, which hold none, so that `eval` can judge them
// anew: by the id of the request, or by the HMAC of the newest user turn.
import { createHmac } from 'node:crypto'
import { invalidOption } from '../../types/errors.js'
import { isObject, parsedJson } from '../../utils/json.js'
import { EXIT, type ExitCode, fileText, type Io } from '../io.js'
import { linesIn } from '../lines.js'
import { audits } from './verify.js'

export interface JoinFlags {
  readonly texts: string
  readonly secretFile?: string
}

/** Texts by request id and by HMAC. Null where two texts claim one id. */
type Texts = ReadonlyMap<string, object | null>

/** Writes the rows that have a verdict on the request and a text, as JSON Lines; says on stderr how many have not. */
export async function join(files: readonly string[], { texts, secretFile }: JoinFlags, io: Io): Promise<ExitCode> {
  const secret = secretFile === undefined ? undefined : (await fileText(secretFile)).trimEnd()
  const known = await textsOf(texts, secret)
  const counts = { joined: 0, unjudged: 0, unknown: 0 }
  const shared = await idsOfSeveral(files)
  for (const file of audits(files).flat())
    for await (const { bytes } of linesIn(file)) {
      const row = parsed(bytes)
      if (row === undefined) continue
      const text = textOf(row, known, shared)
      if (!hasVerdict(row)) counts.unjudged++
      else if (text === undefined) counts.unknown++
      else {
        counts.joined++
        io.stdout.write(`${JSON.stringify({ ...row, ...text })}\n`)
      }
    }
  io.stderr.write(
    `${counts.joined} rows with their text; left out: ${counts.unjudged} whose request was not judged, ` +
      `${counts.unknown} without a text of their own.\n`,
  )
  return counts.joined > 0 ? EXIT.ok : EXIT.failed
}

async function textsOf(file: string, secret: string | undefined): Promise<Texts> {
  const known = new Map<string, object | null>()
  for await (const { number, bytes } of linesIn(file)) {
    if (bytes.length === 0) continue
    const { requestId, text, messages } = parsed(bytes) ?? {}
    const said = Array.isArray(messages) ? { messages } : typeof text === 'string' ? { text } : undefined
    const sealed = secret !== undefined && typeof text === 'string' ? seal(text, secret) : undefined
    const key = typeof requestId === 'string' ? `id:${requestId}` : sealed
    if (said === undefined || key === undefined)
      throw invalidOption(
        `${file}, line ${number}: wanted {"requestId", "text"} or {"requestId", "messages"}; with --secret-file also ` +
          '{"text"}, the newest words of the user alone.',
      )
    known.set(key, known.has(key) && key !== sealed ? null : said)
  }
  return known
}

const seal = (text: string, secret: string): string => `hmac:${createHmac('sha256', secret).update(text).digest('hex')}`

/** Ids come from clients, and two requests may share one. Which text is whose is then not known. */
async function idsOfSeveral(files: readonly string[]): Promise<ReadonlySet<unknown>> {
  const seen = new Set<unknown>()
  const several = new Set<unknown>()
  for (const file of files)
    for await (const { bytes } of linesIn(file)) {
      const id = parsed(bytes)?.['requestId']
      if (seen.has(id)) several.add(id)
      seen.add(id)
    }
  return several
}

function textOf(row: Record<string, unknown>, texts: Texts, shared: ReadonlySet<unknown>): object | undefined {
  const { requestId, hmac } = row
  const byId = shared.has(requestId) ? undefined : texts.get(`id:${String(requestId)}`)
  return byId ?? (isObject(hmac) ? texts.get(`hmac:${String(hmac['input'])}`) : undefined) ?? undefined
}

function hasVerdict({ stages }: Record<string, unknown>): boolean {
  const input: unknown = Array.isArray(stages) ? stages.find((one) => isObject(one) && one['stage'] === 'input') : null
  return isObject(input) && (input['verdict'] === 'safe' || input['verdict'] === 'unsafe')
}

/** Undefined for a line that a crash has cut short. */
function parsed(bytes: Buffer): Record<string, unknown> | undefined {
  const value = parsedJson(bytes.toString('utf8'))?.value
  return isObject(value) ? value : undefined
}
