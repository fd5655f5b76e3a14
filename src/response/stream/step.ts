// How much new text starts the next check of a stream. Chosen by the simulation in test/bench/schedule.ts.

/** Characters that start the second check at least: a few words. */
export const FIRST_STEP_CHARS = 32

/** Returns the step after a safe verdict: from the step before it, and the characters that came during the check. */
export type NextStep = (step: number | undefined, came: number) => number

/**
 * The first step is what the model says in one guard time, because a check of less would only wait for the one before
 * it. The step doubles with every verdict, so that early words flow and later checks stay few. `windowChars` and
 * `windowMs` bound it.
 */
export const nextStep: NextStep = (step, came) => (step === undefined ? Math.max(FIRST_STEP_CHARS, came) : step * 2)
