// `doctor`: checks each step of a judgement, prints what it found, and says at the first failure what to do.
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import { prompterOf } from '../../create-guard.js'
import { isLlamaGuardError, toLlamaGuardError } from '../../errors.js'
import type { Prompter } from '../../guard/prompt/index.js'
import { parseOptions } from '../../options/config.js'
import type { Config } from '../../options/config.js'
import { connectControlPlane } from './control-plane.js'
import { explain } from './explain.js'
import type { ControlPlane } from './control-plane.js'
import { examineGuard } from './examine-guard.js'
import { EXIT } from '../io.js'
import type { ExitCode, Io } from '../io.js'
import { examineLatency } from './latency.js'
import { containerOf, echoesPrompt, ProbeFailure, runExamples } from './probe.js'
import type { Answered, Target } from './probe.js'
import { Report, twoLines } from './report.js'

export interface DoctorOptions {
  /** Default: LLAMA_GUARD_ENDPOINT. */
  readonly endpoint?: string
  readonly region?: string
  /** Default: LLAMA_GUARD_MODEL. */
  readonly model?: string
  /** Also measures how long checks take and how many a second there can be: a few hundred requests. Default: false. */
  readonly latency?: boolean
  /** Checks of each kind that are timed one after the other. Default: 20. */
  readonly samples?: number
}

export async function doctor(options: DoctorOptions, io: Io): Promise<ExitCode> {
  const report = new Report(io)
  let config: Config
  try {
    config = parseOptions({ endpoint: options.endpoint, model: options.model as Config['model'] | undefined }, io.env)
  } catch (error) {
    report.fail('settings', toLlamaGuardError(error).message)
    return EXIT.usage
  }
  report.ok(
    'settings',
    `guard ${typeof config.guard === 'string' ? config.guard : 'of your own'}, model ${config.model}`,
  )
  if (config.guard === 'sagemaker') await examineSageMaker(config, options, io, report)
  else await examineGuard(config, options.latency === true, report)
  io.stdout.write(report.failed ? '\nThe guard cannot be relied on yet.\n' : '\nThe guard is ready.\n')
  return report.failed ? EXIT.failed : EXIT.ok
}

/** As many sockets as the largest load that is measured. The SDK's own limit of 50 would be a hidden queue. */
const SOCKETS = { maxSockets: 256 }

async function examineSageMaker(config: Config, options: DoctorOptions, io: Io, report: Report): Promise<void> {
  const client = new SageMakerRuntimeClient({
    ...(options.region && { region: options.region }),
    maxAttempts: 1,
    requestHandler: { httpAgent: SOCKETS, httpsAgent: SOCKETS },
  })
  try {
    const region = await regionOf(client, report)
    if (region === undefined || !(await credentialsOf(client, region, report))) return
    await examineEndpoint(config.endpoint ?? '', region, io, report)
    const target: Target = {
      endpoint: config.endpoint ?? '',
      inferenceComponent: config.inferenceComponent,
      targetVariant: config.targetVariant,
      timeoutMs: config.timeoutMs,
    }
    const prompter = prompterOf(config)
    await examineAnswers(client, target, prompter, { region, wantsScore: config.threshold !== undefined }, report)
    if (options.latency && !report.failed)
      await examineLatency({ client, target, prompter, config, samples: options.samples, io, report })
  } finally {
    client.destroy()
  }
}

async function regionOf(client: SageMakerRuntimeClient, report: Report): Promise<string | undefined> {
  try {
    const region = await client.config.region()
    report.ok('region', region)
    return region
  } catch {
    report.fail('region', 'none is set', 'Give --region, set AWS_REGION, or put `region = ...` into your AWS profile.')
    return undefined
  }
}

async function credentialsOf(client: SageMakerRuntimeClient, region: string, report: Report): Promise<boolean> {
  try {
    const { accessKeyId, expiration } = await client.config.credentials()
    report.ok(
      'credentials',
      `key ...${accessKeyId.slice(-4)}${expiration ? `, until ${expiration.toISOString()}` : ''}`,
    )
    return true
  } catch (error) {
    report.fail('credentials', ...twoLines(explain(error, region)))
    return false
  }
}

// A role that may only invoke the endpoint is a good role, and the app needs no more. What this role cannot see is
// therefore a warning.
async function examineEndpoint(name: string, region: string, io: Io, report: Report): Promise<void> {
  let plane: ControlPlane | undefined
  try {
    plane = await connectControlPlane(region, io.env)
    const endpoint = await plane.describeEndpoint(name)
    if (endpoint === undefined) {
      report.fail(
        'endpoint',
        `there is no endpoint ${name} in ${region}`,
        'Check the name and the region, or make one: express-llama-guard deploy --help',
      )
      return
    }
    const status = endpoint.EndpointStatus ?? 'Unknown'
    if (status === 'InService') report.ok('endpoint', `${name} is InService`)
    else
      report.fail(
        'endpoint',
        `${name} is ${status}${endpoint.FailureReason ? `: ${endpoint.FailureReason}` : ''}`,
        status === 'Failed'
          ? `Delete it and deploy again: express-llama-guard delete --endpoint ${name}`
          : 'Wait until it is InService; loading a model takes minutes.',
      )
    const variant = (await plane.describeConfig(endpoint.EndpointConfigName ?? ''))?.ProductionVariants?.[0]
    if (variant?.InstanceType) report.ok('instance', `${variant.InitialInstanceCount ?? 1} x ${variant.InstanceType}`)
    const container = containerOf((await plane.describeModel(variant?.ModelName ?? ''))?.PrimaryContainer?.Image)
    if (container !== undefined) report.ok('container', container)
  } catch (error) {
    const [found, cure] = twoLines(explain(error, region))
    report.warn(
      'endpoint',
      `could not be looked at. ${found}`,
      cure ?? 'Going on: the middleware needs sagemaker:InvokeEndpoint alone.',
    )
  } finally {
    plane?.destroy()
  }
}

async function examineAnswers(
  client: SageMakerRuntimeClient,
  target: Target,
  prompter: Prompter,
  { region, wantsScore }: { readonly region: string; readonly wantsScore: boolean },
  report: Report,
): Promise<void> {
  let last: Answered | undefined
  try {
    for await (const { example, ms, answer, safe, answered } of runExamples(client, target, prompter)) {
      last = answered
      const found = `${example.name}: ${JSON.stringify(answer)} in ${Math.round(ms)} ms`
      if (safe === example.safe) report.ok('example', found)
      else
        report.warn(
          'example',
          `${found}, but ${example.safe ? 'safe' : 'unsafe'} was expected`,
          `Is a ${prompter.model} behind the endpoint? LLAMA_GUARD_MODEL chooses the prompt, and every ` +
            'version has its own.',
        )
    }
    report.ok('answers', `in the shape of ${last?.family ?? 'no container'}`)
    if (last?.completion.tokens !== undefined) report.ok('logprobs', 'given for every token: `threshold` can be used')
    else if (wantsScore)
      report.fail(
        'logprobs',
        'not given, but a threshold is set',
        'Unset LLAMA_GUARD_THRESHOLD, or use a container that answers `details: true` with tokens.',
      )
    else report.ok('logprobs', 'not given: verdicts have no score, and `threshold` cannot be used')
    report.ok(
      'prompt echo',
      (await echoesPrompt(client, target, prompter))
        ? 'on by default in this container; the middleware turns it off'
        : 'none',
    )
  } catch (error) {
    if (error instanceof ProbeFailure) {
      const [said, cure] = twoLines(explain(error.raw, region))
      report.fail('example', `${error.guardError.code}: ${said}`, cure ?? error.guardError.message)
    } else if (isLlamaGuardError(error)) report.fail('example', `${error.code}: ${error.message}`)
    else report.fail('example', 'guard_error: The endpoint answered with something that is not JSON.')
  }
}
