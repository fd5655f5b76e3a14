// One call of an endpoint: what it asks, and the ways to answer it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { modelError } from '../../src/testing/aws.js'
import { type Answer, judge, readPrompt } from '../../src/testing/model.js'
import { send, sendError } from '../../src/testing/sagemaker-emulator.js'
import { answerLike, checkParameters, classifierAnswer } from './containers.js'
import type { Call, EmulatorOptions, Received } from './types.js'

export function callOf(
  received: Received,
  request: IncomingMessage,
  response: ServerResponse,
  options: EmulatorOptions,
): Call {
  const { container = 'tgi', model = judge, contextTokens = 131_072 } = options
  const { endpoint, body, prompt = '', asked } = received
  const served = options.serves?.[endpoint]
  const refused = checkParameters(container, request.headers, body, contextTokens)
  const generate = (): Answer =>
    served && 'generates' in served ? served.generates(prompt) : model(asked ?? readPrompt(''))
  const normal = (answer?: Answer): string =>
    served && 'classifies' in served && !answer
      ? classifierAnswer(served.classifies(prompt), body)
      : answerLike(container, received, answer ?? generate())
  const fail: Call['fail'] = (error) => sendError(response, error)
  return {
    ...received,
    request,
    response,
    normal,
    answer: (instead) =>
      refused && !instead ? fail(modelError(refused.status, refused.text)) : send(response, 200, normal(instead)),
    fail,
    send: (value, type) =>
      send(
        response,
        200,
        typeof value === 'string' ? value : JSON.stringify(value),
        type ? { 'content-type': type } : {},
      ),
  }
}

/** The most tokens that a request wants in its answer. */
export function maxTokensOf(body: Received['body']): number {
  const { max_new_tokens: most = body?.['max_tokens'] } = (body?.['parameters'] ?? {}) as { max_new_tokens?: unknown }
  return typeof most === 'number' ? most : 100
}
