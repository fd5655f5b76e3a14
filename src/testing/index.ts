// `express-llama-guard/testing`: what an app needs to test itself behind the middleware, without AWS and without a GPU.
export { fakeGuard, type FakeGuard, type FakeGuardOptions } from './fake-guard.js'
export {
  sageMakerEmulator,
  type EmulatedConversation,
  type SageMakerEmulator,
  type SageMakerEmulatorOptions,
} from './sagemaker-emulator.js'
