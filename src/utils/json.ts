// Small questions about JSON values that several files ask.
// Kept free of imports so that every file here may use them.

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
