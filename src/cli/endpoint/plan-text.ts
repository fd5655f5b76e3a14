// Writes the plan of `deploy`, which is printed before anything is made: the resources and what they cost.
import { SCALE_TARGET } from './autoscale.js'
import { DOLLARS, gpuName, gpusOf } from './hardware.js'
import type { Plan } from './plan.js'

const PRICES = 'https://aws.amazon.com/sagemaker/ai/pricing/'

export function describePlan({ name, region, model, instance, container, createConfig, scale }: Plan): string {
  const { InitialInstanceCount: count = 1, RoutingConfig: routing } = createConfig.ProductionVariants?.[0] ?? {}
  const prefix = routing?.PrefixAwareRoutingConfig
  const dollars = DOLLARS[instance]
  const most = Math.max(count, scale?.max ?? 0)
  const price =
    dollars === undefined
      ? `${count} times the hourly price of ${instance} (${PRICES})`
      : `about $${(count * dollars).toFixed(2)} an hour${most === count ? '' : `, up to $${(most * dollars).toFixed(2)}`} (on demand in us-east-1, ${PRICES} has ${region})`
  return [
    `In ${region} will be made:`,
    `  model                    ${name}: ${model.id} ${model.version}`,
    `  endpoint configuration   ${name}: ${count} x ${instance} (${gpusOf(instance)} ${gpuName(instance)}), ` +
      (routing?.RoutingStrategy ?? 'RANDOM') +
      (prefix ? ` by ${prefix.PrefixLength} bytes, up to ${prefix.ConcurrencyThreshold} requests in flight` : ''),
    `  endpoint                 ${name}`,
    ...(scale
      ? [
          `  scaling                  ${scale.min} to ${scale.max} instances, at ${SCALE_TARGET} requests in flight for each`,
          '    A new instance answers after minutes: it is provisioned, and the model comes from S3 onto the GPU.',
        ]
      : []),
    `Container: ${container.image}`,
    `  ${container.why}.`,
    ...Object.entries(container.environment)
      .filter(([key]) => /^(?:OPTION|MAX|SM_VLLM|SM_NUM|QUANTIZE)/.test(key))
      .map(([key, value]) => `  ${key}=${value}`),
    ...(container.ami ? [`  host image ${container.ami}`] : []),
    `Price: ${price}, from its creation until: express-llama-guard delete --endpoint ${name} --region ${region}\n`,
  ].join('\n')
}
