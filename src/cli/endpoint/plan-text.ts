// Writes the plan of `deploy`, which is printed before anything is made: the resources and what they cost.
import { DOLLARS, gpuName, gpusOf } from './hardware.js'
import type { Plan } from './plan.js'

const PRICES = 'https://aws.amazon.com/sagemaker/ai/pricing/'

export function describePlan({ name, region, model, instance, container, createConfig }: Plan): string {
  const { InitialInstanceCount: count = 1, RoutingConfig: routing } = createConfig.ProductionVariants?.[0] ?? {}
  const prefix = routing?.PrefixAwareRoutingConfig
  const dollars = DOLLARS[instance]
  const price =
    dollars === undefined
      ? `${count} times the hourly price of ${instance} (${PRICES})`
      : `about $${(count * dollars).toFixed(2)} an hour (on demand in us-east-1, ${PRICES} has ${region})`
  return [
    `In ${region} will be made:`,
    `  model                    ${name}: ${model.id} ${model.version}`,
    `  endpoint configuration   ${name}: ${count} x ${instance} (${gpusOf(instance)} ${gpuName(instance)}), ` +
      (routing?.RoutingStrategy ?? 'RANDOM') +
      (prefix ? ` by ${prefix.PrefixLength} bytes, up to ${prefix.ConcurrencyThreshold} requests in flight` : ''),
    `  endpoint                 ${name}`,
    `Container: ${container.image}`,
    `  ${container.why}.`,
    ...Object.entries(container.environment)
      .filter(([key]) => /^(?:OPTION|MAX|SM_VLLM|SM_NUM)/.test(key))
      .map(([key, value]) => `  ${key}=${value}`),
    ...(container.ami ? [`  host image ${container.ami}`] : []),
    `Price: ${price}, from its creation until: express-llama-guard delete --endpoint ${name} --region ${region}\n`,
  ].join('\n')
}
