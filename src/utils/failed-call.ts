// What a call to a server has thrown: what identifies the error, and nothing of its message, which may quote the
// conversation.

/** The parts of an error of the AWS SDK or of a connection. */
export function seen(error: unknown) {
  const given = fieldsOf(error)
  const metadata = fieldsOf(given['$metadata'])
  const status = metadata['httpStatusCode']
  return {
    name: text(given['name']),
    message: text(given['message']),
    /** System error code, for example ECONNRESET. */
    errno: text(given['code']),
    status: typeof status === 'number' ? status : undefined,
    requestId: text(metadata['requestId']),
    /** True when the SDK moved its clock to that of the server. */
    clockCorrected: metadata['clockSkewCorrected'] === true,
    /** What the container behind a SageMaker endpoint answered. */
    original:
      given['name'] === 'ModelError'
        ? { status: Number(given['OriginalStatusCode'] ?? 500), text: text(given['OriginalMessage']) }
        : undefined,
  }
}

const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
/** An identifier: no sentence has this form. */
const PLAIN = /^[\w.$-]{1,80}$/

/** The error without its message. Only identifiers stay. */
export function withoutWords(error: unknown): Error {
  const { name, errno, status, requestId, original } = seen(error)
  const facts = {
    name: PLAIN.test(name) ? name : 'Error',
    ...(PLAIN.test(errno) && { code: errno }),
    ...(status !== undefined && { status }),
    ...(PLAIN.test(requestId) && { requestId }),
    ...(original && { originalStatus: original.status }),
  }
  return Object.assign(new Error('The error of the server, without its words: they may quote the conversation.'), facts)
}
