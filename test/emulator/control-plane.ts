// SageMaker's control plane in AWS JSON 1.1: models, endpoint configurations, endpoints and what scales them, with
// AWS's own rules and words.
// `answer` is pure enough to sit behind any server; `startControlPlane` gives it one of its own.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkSignature, CREDENTIALS, REGION } from './sigv4.js'

type Json = Record<string, unknown>

export interface ControlPlaneOptions {
  /** How many times an endpoint is described as Creating before it is InService. Default: 2. */
  readonly describesUntilReady?: number
  /** An endpoint fails instead of getting ready, with this reason. */
  readonly failWith?: string
}

export interface ControlPlane {
  readonly url: string
  readonly env: Record<string, string>
  /** Operations in order, for example `CreateModel`. */
  readonly calls: readonly { readonly operation: string; readonly input: Json }[]
  readonly models: ReadonlyMap<string, Json>
  readonly configs: ReadonlyMap<string, Json>
  readonly endpoints: ReadonlyMap<string, Json>
  /** Application Auto Scaling: its targets, by resource. */
  readonly targets: ReadonlyMap<string, Json>
  /** The next call of this operation fails so. */
  fail(operation: string, type: string, message: string): void
  close(): Promise<void>
}

const ACCOUNT = '123456789012'

class Refusal extends Error {
  readonly type: string
  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const calls: { operation: string; input: Json }[] = []
  const models = new Map<string, Json>()
  const configs = new Map<string, Json>()
  const endpoints = new Map<string, Json>()
  const targets = new Map<string, Json>()
  const failures: { operation: string; type: string; message: string }[] = []

  const arn = (kind: string, name: unknown): string => `arn:aws:sagemaker:${REGION}:${ACCOUNT}:${kind}/${String(name)}`
  const now = (): number => Date.now() / 1000

  function create(map: Map<string, Json>, kind: string, words: string, name: string, entry: Json): void {
    if (!/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(name))
      throw new Refusal(
        'ValidationException',
        `1 validation error detected: Value '${name}' failed to satisfy constraint: Member must satisfy regular expression pattern`,
      )
    if (map.has(name))
      throw new Refusal('ValidationException', `Cannot create already existing ${words} "${arn(kind, name)}".`)
    map.set(name, { ...entry, CreationTime: now() })
  }

  function find(map: Map<string, Json>, kind: string, words: string, name: unknown): Json {
    const found = map.get(String(name))
    if (!found) throw new Refusal('ValidationException', `Could not find ${words} "${arn(kind, name)}".`)
    return found
  }

  function checkVariant(variant: Json): void {
    const { RoutingStrategy: routing, PrefixAwareRoutingConfig: prefix } = (variant['RoutingConfig'] ?? {}) as {
      RoutingStrategy?: string
      PrefixAwareRoutingConfig?: { PrefixLength?: number; ConcurrencyThreshold?: number }
    }
    const { PrefixLength: length = 0, ConcurrencyThreshold: most = 0 } = prefix ?? {}
    const fits = length >= 1024 && length <= 65_536 && most >= 1 && most <= 1024
    if (routing === 'PREFIX_AWARE' ? !fits : prefix !== undefined)
      throw new Refusal('ValidationException', "'prefixAwareRoutingConfig' failed to satisfy constraint")
    if (routing !== undefined && !['LEAST_OUTSTANDING_REQUESTS', 'RANDOM', 'PREFIX_AWARE'].includes(routing))
      throw new Refusal('ValidationException', `Value '${routing}' at 'routingStrategy' failed to satisfy constraint`)
  }

  /** What a container says to its own settings, before it serves: the vLLM of LMI 11 takes one of the two. */
  function whyItFails(model: Json | undefined): string | undefined {
    const environment = ((model?.['PrimaryContainer'] as Json | undefined)?.['Environment'] ?? {}) as Json
    return environment['OPTION_ENABLE_PREFIX_CACHING'] === 'true' &&
      environment['OPTION_ENABLE_CHUNKED_PREFILL'] === 'true'
      ? 'The primary container for production variant AllTraffic did not pass the ping health check.'
      : options.failWith
  }

  function modelOf(endpoint: Json): Json | undefined {
    const [variant] = (configs.get(String(endpoint['EndpointConfigName']))?.['ProductionVariants'] ?? []) as Json[]
    return models.get(String(variant?.['ModelName']))
  }

  const operations: Record<string, (input: Json) => Json> = {
    RegisterScalableTarget(input) {
      const resource = String(input['ResourceId'])
      const [, endpoint] = /^endpoint\/([^/]+)\/variant\/AllTraffic$/.exec(resource) ?? []
      find(endpoints, 'endpoint', 'endpoint', endpoint)
      if (Number(input['MinCapacity']) < 1)
        throw new Refusal('ValidationException', 'Minimum capacity must be at least 1 for a variant.')
      targets.set(resource, input)
      return { ScalableTargetARN: `arn:aws:application-autoscaling:${REGION}:${ACCOUNT}:scalable-target/0` }
    },
    PutScalingPolicy(input) {
      if (!targets.has(String(input['ResourceId'])))
        throw new Refusal('ObjectNotFoundException', 'No scalable target registered for this resource.')
      return { PolicyARN: `arn:aws:autoscaling:${REGION}:${ACCOUNT}:scalingPolicy:0`, Alarms: [] }
    },
    DeregisterScalableTarget(input) {
      if (!targets.delete(String(input['ResourceId'])))
        throw new Refusal('ObjectNotFoundException', 'No scalable target found for this resource.')
      return {}
    },
    CreateModel(input) {
      const container = input['PrimaryContainer'] as {
        Image?: string
        ModelDataSource?: { S3DataSource?: { S3Uri?: string; ModelAccessConfig?: { AcceptEula?: boolean } } }
      }
      const source = container.ModelDataSource?.S3DataSource
      if (!/^arn:aws[a-z-]*:iam::\d{12}:role\//.test(String(input['ExecutionRoleArn'])))
        throw new Refusal('ValidationException', 'Invalid role ARN')
      if (source?.S3Uri?.includes('jumpstart-private-cache') && source.ModelAccessConfig?.AcceptEula !== true)
        throw new Refusal('ValidationException', 'You must accept the EULA to use this model.')
      create(models, 'model', 'model', String(input['ModelName']), input)
      return { ModelArn: arn('model', input['ModelName']) }
    },
    CreateEndpointConfig(input) {
      for (const variant of input['ProductionVariants'] as Json[]) {
        find(models, 'model', 'model', variant['ModelName'])
        checkVariant(variant)
      }
      create(configs, 'endpoint-config', 'endpoint configuration', String(input['EndpointConfigName']), input)
      return { EndpointConfigArn: arn('endpoint-config', input['EndpointConfigName']) }
    },
    CreateEndpoint(input) {
      find(configs, 'endpoint-config', 'endpoint configuration', input['EndpointConfigName'])
      create(endpoints, 'endpoint', 'endpoint', String(input['EndpointName']), {
        ...input,
        EndpointStatus: 'Creating',
        left: options.describesUntilReady ?? 2,
      })
      return { EndpointArn: arn('endpoint', input['EndpointName']) }
    },
    DescribeModel(input) {
      return { ...find(models, 'model', 'model', input['ModelName']), ModelArn: arn('model', input['ModelName']) }
    },
    DescribeEndpointConfig(input) {
      return {
        ...find(configs, 'endpoint-config', 'endpoint configuration', input['EndpointConfigName']),
        EndpointConfigArn: arn('endpoint-config', input['EndpointConfigName']),
      }
    },
    DescribeEndpoint(input) {
      const found = find(endpoints, 'endpoint', 'endpoint', input['EndpointName'])
      const left = Number(found['left'])
      if (found['EndpointStatus'] === 'Deleting' && left <= 0) {
        endpoints.delete(String(input['EndpointName']))
        return operations['DescribeEndpoint']?.(input) ?? {}
      }
      if (found['EndpointStatus'] === 'Creating' && left <= 0) {
        const why = whyItFails(modelOf(found))
        Object.assign(
          found,
          why === undefined ? { EndpointStatus: 'InService' } : { EndpointStatus: 'Failed', FailureReason: why },
        )
      }
      found['left'] = left - 1
      const { left: _, Tags: __, ...told } = found
      return { ...told, EndpointArn: arn('endpoint', input['EndpointName']), LastModifiedTime: now() }
    },
    DeleteModel(input) {
      find(models, 'model', 'model', input['ModelName'])
      models.delete(String(input['ModelName']))
      return {}
    },
    DeleteEndpointConfig(input) {
      find(configs, 'endpoint-config', 'endpoint configuration', input['EndpointConfigName'])
      configs.delete(String(input['EndpointConfigName']))
      return {}
    },
    DeleteEndpoint(input) {
      const found = find(endpoints, 'endpoint', 'endpoint', input['EndpointName'])
      if (found['EndpointStatus'] === 'Creating')
        throw new Refusal(
          'ValidationException',
          `Cannot update in-progress endpoint "${arn('endpoint', input['EndpointName'])}".`,
        )
      Object.assign(found, { EndpointStatus: 'Deleting', left: 1 })
      return {}
    },
  }

  function answer(target: string, input: Json): Json {
    const operation = target.replace(/^(?:SageMaker|AnyScaleFrontendService)\./, '')
    calls.push({ operation, input })
    const at = failures.findIndex((failure) => failure.operation === operation)
    const [failure] = at < 0 ? [] : failures.splice(at, 1)
    if (failure) throw new Refusal(failure.type, failure.message)
    const run = operations[operation]
    if (!run) throw new Refusal('UnknownOperationException', '')
    return run(input)
  }

  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const raw = Buffer.concat(chunks).toString('utf8')
      const send = (status: number, body: object): void =>
        void response
          .writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': crypto.randomUUID() })
          .end(JSON.stringify(body))
      const scales = String(request.headers['x-amz-target']).startsWith('AnyScaleFrontendService.')
      const forged = await checkSignature(request, raw, Date.now(), scales ? 'application-autoscaling' : 'sagemaker')
      if (forged) {
        const { Message } = JSON.parse(forged.body) as { Message: string }
        send(forged.status, { __type: forged.name, message: Message })
        return
      }
      try {
        send(200, answer(String(request.headers['x-amz-target']), JSON.parse(raw) as Json))
      } catch (error) {
        if (error instanceof Refusal) send(400, { __type: error.type, message: error.message })
        else send(500, { __type: 'InternalFailure', message: String(error) })
      }
    })()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    env: {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_SAGEMAKER: url,
      AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING: url,
    },
    calls,
    models,
    configs,
    endpoints,
    targets,
    fail: (operation, type, message) => void failures.push({ operation, type, message }),
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
