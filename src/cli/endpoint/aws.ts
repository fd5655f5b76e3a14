// The connection of `doctor` to AWS: region, credentials, and a client that asks endpoints.
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import { explain } from './explain.js'
import { type Report, twoLines } from './report.js'

export interface Aws {
  readonly client: SageMakerRuntimeClient
  readonly region: string
}

/** As many sockets as the largest load that is measured. The SDK's own limit of 50 would be a hidden queue. */
const SOCKETS = { maxSockets: 256 }

/** Undefined when region or credentials are missing, which the report then says. */
export async function connectAws(wanted: string | undefined, report: Report): Promise<Aws | undefined> {
  const client = new SageMakerRuntimeClient({
    ...(wanted && { region: wanted }),
    maxAttempts: 1,
    requestHandler: { httpAgent: SOCKETS, httpsAgent: SOCKETS },
  })
  const region = await regionOf(client, report)
  if (region !== undefined && (await hasCredentials(client, region, report))) return { client, region }
  client.destroy()
  return undefined
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

async function hasCredentials(client: SageMakerRuntimeClient, region: string, report: Report): Promise<boolean> {
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
