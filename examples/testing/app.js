// An app as you would write it, with the guard as a parameter: its tests give it another.
import express from 'express'
import { llamaGuard } from 'express-llama-guard'
import { bot } from '../chatbot/bot.js'

export function createApp(guardOptions) {
  const guard = llamaGuard(guardOptions)
  const app = express()
  app.post('/v1/chat/completions', guard, bot)
  return { app, guard }
}
