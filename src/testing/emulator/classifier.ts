// The answer of a text classifier behind an endpoint, such as Llama Prompt Guard: labels and their probabilities.

export interface LabelScore {
  readonly label: string
  readonly score: number
}

/** The answer of djl-serving's Hugging Face handler: a list for the list of texts that it makes of one. */
export function classifierAnswer(labels: readonly LabelScore[], body: Record<string, unknown> | undefined): string {
  const parameters = (body?.['parameters'] ?? {}) as Record<string, unknown>
  return JSON.stringify(parameters['top_k'] === null ? [labels] : labels.slice(0, 1))
}
