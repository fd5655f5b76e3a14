// The examples that put the gateway and its guard somewhere: what they promise is read out of the files, and
// run where this machine can.
import { parse as load, parseAllDocuments } from 'yaml'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makePlan } from '../../src/cli/endpoint/plan.js'
import { startGateway, type Gateway } from '../../src/cli/gateway/index.js'
import { parseOptions } from '../../src/options/config.js'
import { markerGuard, memoryLogger } from '../helpers/guards.js'
import { catchIo } from './helpers.js'

const EXAMPLES = resolve(import.meta.dirname, '../../examples')
const read = (path: string): string => readFileSync(join(EXAMPLES, path), 'utf8')
// The documents are looked into freely.
type Any = ReturnType<typeof JSON.parse>

const anyGateway = (): Promise<Gateway> =>
  startGateway({
    port: 0,
    drainMs: 0,
    env: {},
    options: { guard: markerGuard(), logger: memoryLogger(), upstream: 'http://127.0.0.1:9' },
  })
const planOf = (model: string, region: string): ReturnType<typeof makePlan> =>
  makePlan(
    // The container that AWS pairs with the model: it runs on the default host image.
    {
      model,
      region,
      acceptEula: true,
      role: 'arn:aws:iam::123456789012:role/Any',
      ...(/^llama-guard-[13](?!.*vision)/.test(model) && { container: 'lmi-11' }),
    },
    catchIo(),
  )

describe('The Dockerfile', () => {
  const dockerfile = read('docker/Dockerfile').replaceAll('\\\n', ' ')

  it('ends as a user by number that is not root, in exec form, without a secret in it', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
    expect(last).toMatch(/^USER 1000:1000$/m)
    expect(last).toMatch(/^ENTRYPOINT \["node", "dist\/esm\/cli\/bin\.js"\]$/m)
    expect(last).not.toMatch(/^(RUN|ADD|ARG) /m)
    expect(dockerfile).not.toMatch(/(KEY|SECRET|TOKEN|PASSWORD)\s*=/i)
  })

  it('starts a command line that exists', () => {
    const command = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
    expect(command).toEqual(['serve', '--host', '0.0.0.0', '--port', '8080'])
    expect(JSON.parse(readFileSync(join(EXAMPLES, '../package.json'), 'utf8'))).toMatchObject({
      bin: { 'express-llama-guard': 'dist/esm/cli/bin.js' },
    })
  })

  it('asks for the versions of the Redis client that the package is tested with', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(EXAMPLES, '../package.json'), 'utf8')) as {
      devDependencies: Record<string, string>
    }
    for (const name of ['keyv', '@keyv/redis'])
      expect(dockerfile).toContain(`dependencies.${name}=${devDependencies[name]}`)
  })

  it('has a health check that passes while the gateway lives and fails when it does not', async () => {
    const check = JSON.parse(/^HEALTHCHECK .*?CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
    const gateway = await anyGateway()
    const [, flag = '', script = ''] = check
    // spawn, not spawnSync: the gateway answers from this very process.
    const ask = (): Promise<number | null> =>
      new Promise((done) =>
        spawn(process.execPath, [flag, script.replace('8080', String(gateway.port))]).once('exit', done),
      )
    expect(await ask()).toBe(0)
    await gateway.stop()
    expect(await ask()).toBe(1)
  })

  it('lets nothing into its context but what it copies', () => {
    const allowed = [...read('docker/Dockerfile.dockerignore').matchAll(/^!(.*)$/gm)].map(([, path]) => path)
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)]
      .flatMap(([, paths = '']) => paths.split(' '))
      .map((path) => path.replace('./', ''))
    expect(new Set(copied)).toEqual(new Set(allowed))
  })
})

describe('The compose file', () => {
  const { services } = load(read('docker/compose.yaml'))

  it('sets variables that the gateway knows, and names a cache with a secret', () => {
    const environment = Object.fromEntries(
      Object.entries<string>(services.gateway.environment).map(([name, value]) => [
        name,
        value.replace(/^\$\{\w+(:?[-?].*)?\}$/, ''),
      ]),
    )
    const config = parseOptions(
      { guard: 'local' },
      { ...environment, LLAMA_GUARD_UPSTREAM_URL: 'http://chat.example/v1', LLAMA_GUARD_CACHE_SECRET: 'secret' },
    )
    expect(config).toMatchObject({ cacheStore: 'redis://redis:6379', upstream: { url: 'http://chat.example/v1' } })
  })

  it('publishes on this machine alone, and runs everything read-only and without capabilities', () => {
    expect(services.gateway.ports).toEqual(['127.0.0.1:8080:8080'])
    for (const service of [services.gateway, services.redis])
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
    expect(parseInt(services.gateway.stop_grace_period, 10)).toBeGreaterThan(25 + 2)
  })
})

describe('The Kubernetes manifest', () => {
  const documents = parseAllDocuments(read('kubernetes/gateway.yaml')).map((document): Any => document.toJS())
  const kind = (name: string): Any => documents.find((document) => document.kind === name) as Any
  const pod = kind('Deployment').spec.template.spec
  const [container] = pod.containers

  it('holds what a deployment needs, under one name', () => {
    expect(documents.map((document) => document.kind as string).sort()).toEqual(
      `ConfigMap Deployment HorizontalPodAutoscaler NetworkPolicy PodDisruptionBudget Service
  ServiceAccount`.split(/\s+/),
    )
    expect(new Set(documents.map((document) => document.metadata.name as string))).toEqual(new Set(['llama-guard']))
    const { labels } = kind('Deployment').spec.template.metadata
    for (const selector of [
      kind('Deployment').spec.selector.matchLabels,
      kind('Service').spec.selector,
      kind('PodDisruptionBudget').spec.selector.matchLabels,
      kind('NetworkPolicy').spec.podSelector.matchLabels,
    ])
      expect(labels).toMatchObject(selector)
    expect(kind('HorizontalPodAutoscaler').spec.scaleTargetRef).toMatchObject({
      kind: 'Deployment',
      name: 'llama-guard',
    })
    expect(kind('Service').spec.ports[0].targetPort).toBe(container.ports[0].name)
  })

  it('sets variables that the gateway knows, all as text', () => {
    const { data } = kind('ConfigMap')
    expect(Object.values(data).every((value) => typeof value === 'string')).toBe(true)
    expect(parseOptions({}, data as Record<string, string>)).toMatchObject({
      guard: 'sagemaker',
      model: 'llama-guard-3-8b',
    })
  })

  it('gives streams the time to finish that it promises', () => {
    const drain = Number(container.args[container.args.indexOf('--drain-ms') + 1]) / 1000
    const sleep = Number(container.lifecycle.preStop.exec.command[1])
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(sleep + drain + 2)
  })

  it('probes paths that the gateway answers', async () => {
    const gateway = await anyGateway()
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
      expect((await fetch(`${gateway.url}${container[probe].httpGet.path}`)).status, probe).toBe(200)
    await gateway.stop()
    // A guard that is down must not restart the gateway.
    expect(container.livenessProbe.httpGet.path).toBe('/healthz')
  })

  it('runs without root, write access, capabilities or a token of the cluster', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(pod.automountServiceAccountToken).toBe(false)
  })

  it('lets the gateway reach no address where a node hands out credentials', () => {
    const blocks = (kind('NetworkPolicy').spec.egress as Any[])
      .flatMap((rule) => rule.to as Any[])
      .flatMap((to) => to.ipBlock ?? [])
    expect(blocks).toEqual([{ cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] }])
  })

  it('comes with a policy that allows to ask one endpoint', () => {
    expect(JSON.parse(read('kubernetes/iam-policy.json'))).toMatchObject({
      Statement: [
        {
          Action: 'sagemaker:InvokeEndpoint',
          Resource: expect.stringMatching(/endpoint\/llama-guard-3-8b$/) as string,
        },
      ],
    })
  })
})

/** Published by SageMaker every ten seconds. */
const METRIC = 'SageMakerVariantConcurrentRequestsPerModelHighResolution'

describe('The CDK app', () => {
  const folder = join(EXAMPLES, 'cdk')
  it('knows the same image, files and environment as the deploy command, in each of its regions', () => {
    const url = pathToFileURL(join(folder, 'models.js')).href
    const { MODELS, REGISTRY, REGIONS } = JSON.parse(
      execFileSync(
        process.execPath,
        ['--input-type=module', '-e', `console.log(JSON.stringify(await import(${JSON.stringify(url)})))`],
        { encoding: 'utf8' },
      ),
    ) as Any
    for (const [name, model] of Object.entries<Any>(MODELS)) {
      for (const region of REGIONS as string[]) {
        const { createModel, createConfig } = planOf(name, region)
        const { Image, Environment, ModelDataSource } = createModel.PrimaryContainer ?? {}
        expect(Image).toBe(`${REGISTRY}.dkr.ecr.${region}.amazonaws.com/${model.image}`)
        expect(Environment).toEqual(model.environment)
        expect(ModelDataSource?.S3DataSource?.S3Uri).toBe(
          `s3://jumpstart-private-cache-prod-${region}/${model.artifact}`,
        )
        expect(createConfig.ProductionVariants?.[0]?.InstanceType).toBe(model.instanceType)
      }
    }
  })
})

describe('The Terraform example', () => {
  const folder = join(EXAMPLES, 'terraform')
  const [main, models, variables] = ['main.tf', 'models.tf', 'variables.tf'].map((name) =>
    read(`terraform/${name}`),
  ) as [string, string, string]
  /** The block that follows these words, its braces left out. No string of these files holds a lone brace. */
  const block = (text: string, words: string): string => {
    const start = text.indexOf('{', text.indexOf(words)) + 1
    expect(text, words).toContain(words)
    let depth = 1
    let at = start
    for (; depth > 0 && at < text.length; at++) depth += text[at] === '{' ? 1 : text[at] === '}' ? -1 : 0
    return text.slice(start, at - 1)
  }
  const pairs = (text: string): Record<string, string> =>
    Object.fromEntries(
      [...text.matchAll(/^\s*([A-Za-z_]\w*)\s*=\s*"([^"]*)"$/gm)].map(([, key, value]) => [key, value]),
    )
  const list = (text: string, name: string): string[] =>
    [...(new RegExp(`${name} = \\[([^\\]]*)\\]`).exec(text)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(
      ([, value]) => value ?? '',
    )

  it.each(['llama-guard-3-8b', 'llama-guard-3-1b'])(
    'knows the same image, files and environment of %s as deploy',
    (name) => {
      const { artifact, eula, instance_type: instance } = pairs(block(models, `"${name}" = `))
      expect(list(models, 'regions').length).toBeGreaterThan(10)
      for (const region of list(models, 'regions')) {
        const { createModel, createConfig, model } = planOf(name, region)
        const { Image, Environment, ModelDataSource } = createModel.PrimaryContainer ?? {}
        const { registry, image } = pairs(models)
        expect(Image).toBe(`${registry}.dkr.ecr.${region}.amazonaws.com/${image}`)
        expect(Environment).toEqual(pairs(block(models, 'environment = ')))
        expect(ModelDataSource?.S3DataSource?.S3Uri).toBe(`s3://jumpstart-private-cache-prod-${region}/${artifact}`)
        expect(createConfig.ProductionVariants?.[0]?.InstanceType).toBe(instance)
        expect(model.eula).toBe(eula)
      }
    },
  )

  it('scales by the requests in flight, and routes by the fewest', () => {
    expect(block(main, 'routing_config ')).toContain('routing_strategy = "LEAST_OUTSTANDING_REQUESTS"')
    const scaling = block(main, 'resource "aws_appautoscaling_policy"')
    expect(scaling).toContain(`predefined_metric_type = "${METRIC}"`)
    expect(scaling).toMatch(/scale_in_cooldown += 600\n.*= 60\n/)
    expect(block(main, 'resource "aws_appautoscaling_target"')).toContain('"sagemaker:variant:DesiredInstanceCount"')
    expect(variables).toContain('optional(number, 5)')
    expect(block(main, 'resource "aws_sagemaker_model"')).toMatch(/enable_network_isolation = true/)
    expect(block(main, 'model_access_config ')).toContain('accept_eula = var.accept_eula')
  })

  it('allows the app to ask the endpoint and nothing else', () => {
    const policy = block(main, 'resource "aws_iam_policy" "invoke"')
    expect(list(policy, 'Action +')).toEqual(['sagemaker:InvokeEndpoint', 'sagemaker:InvokeEndpointWithResponseStream'])
    expect(policy).toContain('Resource = [aws_sagemaker_endpoint.guard.arn]')
  })

  const terraform = spawnSync('terraform', ['version']).status === 0
  it.skipIf(!terraform)('is formatted as Terraform formats it (skipped without terraform)', () => {
    const { status, stdout } = spawnSync('terraform', ['fmt', '-check', '-diff', '-recursive', folder], {
      encoding: 'utf8',
    })
    expect([stdout, status]).toEqual(['', 0])
  })
})
