// Small questions about JSON values that several files ask.
// Kept free of imports so that every file here may use them.

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Interleaved list items say which one they are; their place in one event says nothing. */
export function itemIndex(item: unknown, position: number): number {
  const index = isObject(item) ? item.index : undefined
  return Number.isSafeInteger(index) && (index as number) >= 0 ? (index as number) : position
}
