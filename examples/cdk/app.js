// The CDK app: one stack with one guard endpoint, from the context on the command line.
//   npx cdk deploy -c acceptEula=true -c model=llama-guard-3-8b -c instanceType=ml.g5.4xlarge -c autoscale=1..4
import { App } from 'aws-cdk-lib'
import { LlamaGuardStack } from './llama-guard-stack.js'

const app = new App()
const context = (name) => app.node.tryGetContext(name)

/** `1..4`, and how many requests in flight each instance is to have: five, as in AWS's own example. */
function autoscaleOf(text) {
  if (text === undefined) return undefined
  const [, min, max] = /^(\d+)\.\.(\d+)$/.exec(text) ?? []
  if (min === undefined || Number(min) < 1 || Number(min) > Number(max))
    throw new Error(`autoscale is ${JSON.stringify(text)}. Wanted: MIN..MAX from 1, such as 1..4.`)
  return { min: Number(min), max: Number(max), target: Number(context('autoscaleTarget') ?? 5) }
}

new LlamaGuardStack(app, 'LlamaGuard', {
  // The image and the model files are named by region, so the stack must know its own.
  env: { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION ?? process.env.AWS_REGION },
  model: context('model'),
  instanceType: context('instanceType'),
  autoscale: autoscaleOf(context('autoscale')),
  acceptEula: String(context('acceptEula')) === 'true',
})
