// The CDK app: one stack with one guard endpoint, from the context on the command line.
//   npx cdk deploy -c acceptEula=true -c model=llama-guard-3-8b -c instanceType=ml.g5.4xlarge
import { App } from 'aws-cdk-lib'
import { LlamaGuardStack } from './llama-guard-stack.js'

const app = new App()
const context = (name) => app.node.tryGetContext(name)

new LlamaGuardStack(app, 'LlamaGuard', {
  // The image and the model files are named by region, so the stack must know its own.
  env: { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION ?? process.env.AWS_REGION },
  model: context('model'),
  instanceType: context('instanceType'),
  acceptEula: String(context('acceptEula')) === 'true',
})
