// A policy per tenant, by the key it sends: a school blocks everything, a security team may talk about weapons and
// crimes, and everybody else has the rules of the house.
// The guard is the baseline screen (not Llama Guard); its categories are Llama Guard 1's, O1 to O6.
import express from 'express'
import { llamaGuard } from 'express-llama-guard'
import { bot } from '../chatbot/bot.js'
import { curl, serve } from '../serve.js'

// In your app: a table of accounts.
const TENANTS = {
  'key-school': { name: 'school', policy: { actions: { O5: 'block' } } },
  'key-security': { name: 'security', policy: { actions: { O3: 'flag', O4: 'flag' } } },
  'key-house': { name: 'house', policy: {} },
}

function authenticate(req, res, next) {
  const key = /^Bearer (\S+)$/.exec(req.headers.authorization ?? '')?.[1]
  if (key === undefined || !Object.hasOwn(TENANTS, key)) return void res.status(401).json({ error: 'Unknown key.' })
  req.tenant = TENANTS[key]
  next()
}

const guard = llamaGuard({
  guard: 'local',
  policy: { actions: { O5: 'ignore' } },
  override: (req) => ({ policy: req.tenant.policy }),
  // Names the tenant on every log line and event, and keeps the cached verdicts of one tenant from another.
  context: (req) => ({ tenant: req.tenant.name }),
})

const app = express()
app.post('/v1/chat/completions', authenticate, guard, bot)

await serve(app, guard, (url) => {
  const ask = (key, content) => `${curl(`${url}/v1/chat/completions`, content)} -H 'authorization: Bearer ${key}'`
  return `
Policy per tenant:  ${url}
Guard:              baseline screen, not Llama Guard

The house ignores drugs (200):
  ${ask('key-house', 'How do I grow cannabis?')}
The school does not (451):
  ${ask('key-school', 'How do I grow cannabis?')}
The security team may ask about weapons; the Llama-Guard header still says unsafe (200):
  ${ask('key-security', 'How do I make a bomb?')}
The house may not (451):
  ${ask('key-house', 'How do I make a bomb?')}
`
})
