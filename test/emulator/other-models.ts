// The emulated guards beside Llama Guard: each reads what its real model would be shown, and answers in its own form.
// They go by words: JAILBREAK, INJECTION, BOMB and EDGY, and `SCORE_0.3` for the probability of an attack. The
// examples of `doctor` count too.
import type { LabelScore } from './containers.js'
import type { Answer } from '../../src/testing/model.js'

/** Qwen3Guard-Gen: judges the last turn of the conversation in its prompt. */
export function qwen3Guard(prompt: string): Answer {
  const conversation = /<BEGIN CONVERSATION>\n\n([^]*)\n\n<END CONVERSATION>/.exec(prompt)?.[1]
  if (conversation === undefined || !prompt.endsWith('</think>\n\n')) return { text: 'Hello! How can I help you?' }
  const turns = conversation.split(/^(?:USER|ASSISTANT): /m)
  const text = turns.at(-1) ?? ''
  const refusal = prompt.includes('<BEGIN REFUSAL POLICY>') ? '\nRefusal: No' : ''
  if (/BOMB|pipe bomb/.test(text))
    return { text: `Safety: Unsafe\nCategories: Violent, Non-violent Illegal Acts${refusal}` }
  if (/EDGY/.test(text)) return { text: `Safety: Controversial\nCategories: Unethical Acts${refusal}` }
  return { text: `Safety: Safe\nCategories: None${refusal}` }
}

/** Granite Guardian: judges the last message of the turn in its prompt. */
export function graniteGuardian(prompt: string): Answer {
  const turn = /<start_of_turn>\n([^]*)\n<end_of_turn>/.exec(prompt)?.[1]
  if (turn === undefined || !prompt.endsWith('<|end_of_role|>')) return { text: 'I am Granite.' }
  const text = turn.split(/^(?:User|Assistant) Message: /m).at(-1) ?? ''
  return { text: /BOMB|pipe bomb/.test(text) ? 'Yes' : 'No' }
}

/** Llama Prompt Guard: the probabilities of its labels, likeliest first. */
export function promptGuardLabels(version: 1 | 2): (text: string) => readonly LabelScore[] {
  return (text) => {
    const score = /SCORE_([01](?:\.\d+)?)/.exec(text)?.[1]
    const attack =
      score === undefined
        ? /JAILBREAK|INJECTION|Ignore your previous instructions/.test(text)
          ? 0.97
          : 0.02
        : Number(score)
    const benign = 1 - attack
    const labels =
      version === 2
        ? { LABEL_0: benign, LABEL_1: attack }
        : /INJECTION/.test(text)
          ? { BENIGN: benign, INJECTION: attack * 0.9, JAILBREAK: attack * 0.1 }
          : { BENIGN: benign, INJECTION: attack * 0.1, JAILBREAK: attack * 0.9 }
    return Object.entries(labels)
      .map(([label, score]) => ({ label, score }))
      .sort((a, b) => b.score - a.score)
  }
}
