// Stands in for SageMaker when there is no account: answers like the article's two endpoints, and shows what
// it was asked.
// It is no guard: it finds everything safe.
import { once } from 'node:events'
import { createServer } from 'node:http'

const ANSWER =
  'Sure! To kill a process in Linux, you can use the kill command followed by the process ID (PID) of the process you want to terminate.'

/** Points the AWS SDK of this process at a server on this machine, and tells `onPrompt` of every prompt. */
export async function standIn(onPrompt) {
  const server = createServer(async (req, res) => {
    let body = ''
    for await (const chunk of req) body += chunk
    const [, , endpoint] = req.url.split('/')
    const { inputs } = JSON.parse(body)
    onPrompt(endpoint, inputs)
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify([{ generated_text: endpoint.includes('guard') ? ' safe' : ANSWER }]))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'stand-in',
    AWS_SECRET_ACCESS_KEY: 'stand-in',
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: `http://127.0.0.1:${server.address().port}`,
  })
  return server
}
