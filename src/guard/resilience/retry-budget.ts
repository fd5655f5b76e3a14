// A bound on extra calls as a share of traffic (a token bucket that traffic fills). Per-request limits cannot do this:
// when the guard is slow for everyone, two attempts each would double the load exactly when it hurts most.

export interface Budget {
  /** Counts one judgement of normal traffic. */
  earn(): void
  /** Takes one extra call, or says that there is none left. */
  spend(): boolean
}

export interface BudgetOptions {
  /** Extra calls allowed per judgement, for example 0.1. */
  readonly share: number
  /** Extra calls allowed before any traffic has been seen. */
  readonly floor: number
}

/** The most that quiet times can save up for a bad moment. */
const MOST_SAVED = 100

export function createBudget({ share, floor }: BudgetOptions): Budget {
  // Counted in whole thousandths: twenty times 0.05 must be exactly one.
  const earned = Math.round(share * 1000)
  let saved = floor * 1000
  return {
    earn() {
      saved = Math.min(saved + earned, MOST_SAVED * 1000)
    },
    spend() {
      if (saved < 1000) return false
      saved -= 1000
      return true
    },
  }
}
