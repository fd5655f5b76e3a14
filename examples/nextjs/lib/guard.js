// One guard for all routes of this process: one cache, one pool of sockets.
import { llamaGuard } from 'express-llama-guard'

// `next dev` loads this file anew after a change.
export const guard = (globalThis.llamaGuardOfThisApp ??= llamaGuard())
