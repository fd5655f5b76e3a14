// Bounds extra calls to a share of traffic (a token bucket that traffic fills). A limit per request cannot do this:
// when the guard is slow for everybody, two attempts each would double the load when the guard can bear it least.

export interface Budget {
  /** Counts one judgement of normal traffic. */
  earn(): void
  /** Takes one extra call from the budget. False when none is left. */
  spend(): boolean
}

export interface BudgetOptions {
  /** Extra calls allowed per judgement, for example 0.1. */
  readonly share: number
  /** Extra calls allowed before any traffic has been seen. */
  readonly floor: number
}

/** The most extra calls that quiet times can save up. */
const MOST_SAVED = 100

export function createBudget({ share, floor }: BudgetOptions): Budget {
  // Counted in whole thousandths, so that twenty times 0.05 is exactly one.
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
