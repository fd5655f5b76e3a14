// Writes the plan of `deploy`, which is printed before anything is made: the resources, their price, their capacity.
import type { ProductionVariantRoutingConfig } from '@aws-sdk/client-sagemaker'
import { DOLLARS, gpuName, gpusOf } from './hardware.js'
import type { Plan } from './plan.js'

type Routing = Partial<ProductionVariantRoutingConfig>

const PRICES = 'https://aws.amazon.com/sagemaker/ai/pricing/'

/** `dollarsPerHour` is what the caller says an instance costs. */
export function describePlan(plan: Plan, dollarsPerHour: number | undefined): string {
  const { name, region, model, instance, container, createComponent } = plan
  const variant = plan.createConfig.ProductionVariants?.[0]
  const count = variant?.InitialInstanceCount ?? 1
  const gpus = gpusOf(instance)
  const lines = [
    `In ${region} will be made:`,
    `  model                    ${name}: ${model.id} ${model.version}`,
    `  endpoint configuration   ${name}: ${count} x ${instance} (${gpus} ${gpuName(instance)}), ` +
      routingText(variant?.RoutingConfig),
    `  endpoint                 ${name}`,
    ...(createComponent ? [`  inference component      ${name}: ${gpus} GPU a copy`] : []),
    ...scaleLines(plan),
    `Container: ${container.image}`,
    `  ${container.why}.`,
    ...Object.entries(container.environment)
      .filter(([key]) => /^(?:OPTION|MAX|SM_VLLM|SM_NUM|QUANTIZE)/.test(key))
      .map(([key, value]) => `  ${key}=${value}`),
    ...(container.ami ? [`  host image ${container.ami}`] : []),
    priceLine(plan, count, dollarsPerHour),
  ]
  return `${lines.join('\n')}\n`
}

function routingText({ RoutingStrategy: strategy, PrefixAwareRoutingConfig: prefix }: Routing = {}): string {
  if (prefix === undefined) return strategy ?? 'RANDOM'
  return `${strategy} by ${prefix.PrefixLength} bytes, up to ${prefix.ConcurrencyThreshold} requests in flight`
}

function scaleLines({ scale, createComponent }: Plan): string[] {
  if (scale === undefined) return []
  const what = createComponent ? 'copies' : 'instances'
  const lines = [
    `  scaling                  ${scale.min} to ${scale.max} ${what}, at ${scale.target} requests in flight for each`,
    '    A new instance answers after minutes: it is provisioned, and the model comes from S3 onto the GPU.',
  ]
  if (scale.min > 0) return lines
  return [
    ...lines,
    '    Scaled to zero, it refuses every check until the first copy is back. That takes several minutes;',
    '    the middleware answers 503 meanwhile. It wakes only by a CloudWatch alarm, whose command is printed at ' +
      'the end.',
    '    Keep MIN at 1 for a guard that people wait for.',
  ]
}

/** What an hour costs, and what ends it. */
function priceLine(plan: Plan, count: number, given: number | undefined): string {
  const { name, region, instance, scale } = plan
  const dollars = given ?? DOLLARS[instance]
  const ends = `from its creation until: express-llama-guard delete --endpoint ${name} --region ${region}`
  const least = count * (dollars ?? 0)
  const most = Math.max(count, scale?.max ?? 0) * (dollars ?? 0)
  const source = given === undefined ? `on demand in us-east-1, ${PRICES} has ${region}` : 'as given'
  if (dollars === undefined)
    return `Price: ${count} times the hourly price of ${instance} (${PRICES}; give it with --dollars-per-hour), ${ends}`
  const range = most === least ? '' : `, up to $${most.toFixed(2)}`
  return `Price: ${given === undefined ? 'about ' : ''}$${least.toFixed(2)} an hour${range} (${source}), ${ends}`
}
