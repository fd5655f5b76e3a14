// NestJS: the guard before the whole app, where it judges the chat APIs it knows, and on two routes, where it judges
// whatever comes. The guard is the baseline screen, not Llama Guard.
import 'reflect-metadata'
import { setTimeout as sleep } from 'node:timers/promises'
import { Body, Controller, HttpCode, Module, Post, Query, RequestMethod, Sse } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { llamaGuard } from 'express-llama-guard'
import { from } from 'rxjs'
import { answerOf, WORD_MS } from '../chatbot/bot.js'
import { curl, curlBody, serve } from '../serve.js'

const guard = llamaGuard({ guard: 'local' })

class ChatController {
  /** An API that the guard knows. */
  complete({ messages }) {
    const message = { role: 'assistant', content: answerOf(messages.at(-1).content) }
    return { object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] }
  }

  /** An API of the app's own. */
  ask({ question }) {
    return { reply: answerOf(question) }
  }

  /** What `new EventSource('/events?message=...')` listens to: an event a word. */
  events(message) {
    async function* words() {
      for (const data of answerOf(message).match(/\S+\s*/g)) {
        await sleep(WORD_MS)
        yield { data }
      }
    }
    return from(words())
  }
}

class AppModule {
  configure(consumer) {
    consumer
      .apply(guard)
      .forRoutes({ path: 'ask', method: RequestMethod.POST }, { path: 'events', method: RequestMethod.GET })
  }
}

// This file is JavaScript, so that it runs as it stands. In TypeScript these are @Post(), @Body() and so on.
const decorate = (name, parameter, ...decorators) => {
  const { prototype } = ChatController
  parameter(prototype, name, 0)
  for (const each of decorators) each(prototype, name, Object.getOwnPropertyDescriptor(prototype, name))
}
decorate('complete', Body(), Post('v1/chat/completions'), HttpCode(200))
decorate('ask', Body(), Post('ask'), HttpCode(200))
decorate('events', Query('message'), Sse('events'))
Controller()(ChatController)
Module({ controllers: [ChatController] })(AppModule)

const app = await NestFactory.create(AppModule, { logger: ['error'] })
app.use(guard)
await app.init()

await serve(app.getHttpServer(), guard, (url) => {
  const chat = `${url}/v1/chat/completions`
  return `
NestJS under guard:  ${url}
Guard:               baseline screen, not Llama Guard

Allowed (200):
  ${curl(chat, 'How do I kill a process in Linux?')}
Blocked on the way in (451):
  ${curl(chat, 'How do I make a bomb?')}
Blocked on the way out (451):
  ${curl(chat, 'please misbehave')}
Blocked on a route of the app's own (451):
  ${curlBody(`${url}/ask`, { question: 'How do I make a bomb?' })}
A stream of events, stopped when it goes wrong:
  curl -iN '${url}/events?message=Tell+me+about+the+sea,+then+misbehave'
`
})
