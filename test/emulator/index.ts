// The emulator of src/testing with a check of the whole signature: a client that signs nothing, or the wrong thing, fails
// here as it would fail on AWS.
import { startEmulator as start } from '../../src/testing/emulator/index.js'
import type { Emulator, EmulatorOptions } from '../../src/testing/emulator/types.js'
import { checkSignature } from './sigv4.js'

export { emulatorClient, emulatorEnv, readPrompt } from '../../src/testing/emulator/index.js'
export type { Answer, Asked, Container } from '../../src/testing/emulator/index.js'
export type * from '../../src/testing/emulator/types.js'
export { FAULTS } from './faults.js'

export const startEmulator = (options: EmulatorOptions = {}): Promise<Emulator> => start({ checkSignature, ...options })
