// Helpers for JSON values. This file imports nothing, so that every other file may use it.

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
