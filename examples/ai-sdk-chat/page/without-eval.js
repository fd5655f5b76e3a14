// zod, which the AI SDK checks its messages with, tries to compile once. The page's content security policy forbids it,
// and the browser reports that as an error.
import { config } from 'zod/v4/core'

config({ jitless: true })
