// The types that every stage shares: turns in, verdicts and decisions out. Types only, no logic.
export type * from './types/conversation.js'
export type * from './types/decision.js'
export type * from './types/events.js'
export type * from './types/guard.js'
export type * from './types/request.js'
export type * from './types/stats.js'
