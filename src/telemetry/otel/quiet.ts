// Keeps the errors of an OpenTelemetry SDK away from requests. A channel would make them uncaught exceptions, which end
// the process.
import { diag } from '@opentelemetry/api'

/** Calls `step`. An error is told to OpenTelemetry's own diagnostics by its name; its message may hold anything. */
export function quietly(step: () => void): void {
  try {
    step()
  } catch (error) {
    try {
      diag.warn(`express-llama-guard: telemetry failed with ${error instanceof Error ? error.name : typeof error}`)
    } catch {
      // A logger that fails too has nobody left to tell.
    }
  }
}

export function quiet<T>(listener: (message: T) => void): (message: unknown) => void {
  return (message) => quietly(() => listener(message as T))
}
