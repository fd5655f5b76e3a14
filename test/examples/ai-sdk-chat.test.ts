// The useChat page in headless Chromium: what a person sees when a message is allowed, blocked, refused or not judged.
import { text } from 'node:stream/consumers'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { serve } from '../helpers/http.js'
import { faults, hasChromium, LOOKS, picture, SOON, useBrowser } from './browser.js'
import { SLOW, start } from './kit.js'

const SERVER = 'ai-sdk-chat/server.js'
const SEA = 'Tell me about the sea.'
const BOMB = 'How do I make a bomb?'
const CUT = 'Tell me about the sea, then misbehave.'

describe.skipIf(!hasChromium)('The useChat page', () => {
  const newPage = useBrowser()

  async function open(url: string, look = 'light'): Promise<Page> {
    const page = await newPage(look)
    await page.goto(url)
    return page
  }
  const ask = (page: Page, said: string) => page.getByRole('button', { name: said, exact: true }).click()
  const settled = (page: Page) => page.getByRole('button', { name: 'Send' }).waitFor()

  it.each(Object.keys(LOOKS))(
    'shows an allowed reply, both blocks and a refusal, readable (%s).',
    { timeout: SLOW },
    async (look) => {
      const { url } = await start(SERVER)
      const page = await open(url, look)
      const sent: string[] = []
      page.on('request', (request) => sent.push(request.postData() ?? ''))

      await ask(page, SEA)
      await expect.poll(() => page.locator('li.bot').last().textContent(), SOON).toContain('first to leave it.')
      expect(await page.locator('li.notice').count()).toBe(0)

      await ask(page, BOMB)
      const blocked = page.locator('li.notice.blocked')
      await blocked.waitFor()
      expect(await blocked.textContent()).toMatch(/Blocked by the content policy.*not sent on.*Weapons/)
      expect(await page.locator('li.user.struck').textContent()).toBe(BOMB)
      await settled(page)

      await ask(page, CUT)
      await expect.poll(() => blocked.count(), SOON).toBe(2)
      expect(await blocked.last().textContent()).toContain('The rest of the reply is not shown.')
      expect(await page.locator('li.bot').last().textContent()).toMatch(/^The sea is never/)
      await settled(page)

      await page.getByRole('checkbox').check()
      await ask(page, BOMB)
      await expect
        .poll(() => page.locator('li.bot').last().textContent(), SOON)
        .toMatch(/Sorry.*Content policy: .*Weapons/)
      await settled(page)
      // What was blocked stays here, or it would block every later message.
      await ask(page, SEA)
      await expect.poll(() => page.locator('li.bot').last().textContent(), SOON).toContain('first to leave it.')
      expect(sent.at(-1)).not.toContain('bomb')
      expect(sent.at(-1)).not.toContain('misbehave')
      expect(sent.at(-1)).toContain('never the same twice')

      await settled(page)
      expect(
        await page
          .locator('li.bot')
          .last()
          .evaluate((item) => item.getBoundingClientRect().bottom),
      ).toBeLessThan((await page.locator('form').boundingBox())!.y)
      const shown = (await page.locator('body').textContent()) ?? ''
      expect(shown).not.toContain('kill you')
      expect(shown).not.toMatch(/[{}]|"code"/)
      expect(await faults(page)).toEqual([])
      await picture(page, `ai-sdk-${look}`)
    },
  )

  it('shows a guard that is down as no block, and sends again when asked.', { timeout: SLOW }, async () => {
    let up = (_asked: string): boolean => false
    const llamaGuard = await serve(async (req, res) => {
      res.writeHead(up(await text(req)) ? 200 : 500, { 'content-type': 'application/json' })
      res.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'safe' } }] }))
    })
    const { url } = await start(SERVER, {
      LLAMA_GUARD_BACKEND: 'openai',
      LLAMA_GUARD_URL: `${llamaGuard.url}/v1`,
    })
    try {
      const page = await open(url)
      await ask(page, SEA)
      await page.locator('li.notice.unjudged').waitFor()
      expect(await page.locator('li.notice').textContent()).toContain('could not be checked')
      expect(await page.locator('li.blocked, li.struck').count()).toBe(0)
      expect(await faults(page)).toEqual([])
      await picture(page, 'ai-sdk-unjudged')
      // It fails again in the middle of the reply.
      up = (asked) => !asked.includes('gulls')
      await page.getByRole('button', { name: 'Try again' }).click()
      await expect.poll(() => page.locator('li.notice').textContent(), SOON).toContain('The reply broke off')
      // How far the reply came depends on where a check ended.
      expect(await page.locator('li.bot').textContent()).toMatch(/^The /)
      expect(await page.locator('li.bot').textContent()).not.toContain('gulls')
      expect(await page.locator('li.blocked, li.struck').count()).toBe(0)
      up = () => true
      // After so many failures the guard may be left alone for a moment (guard_circuit_open).
      const again = page.getByRole('button', { name: 'Try again' })
      await expect
        .poll(async () => {
          if (await again.isVisible()) await again.click()
          return page.locator('li.bot').last().textContent()
        }, SOON)
        .toContain('first to leave it.')
      expect(await page.locator('li.notice').count()).toBe(0)
      expect(await page.locator('li.user').count()).toBe(1)
    } finally {
      await llamaGuard.close()
    }
  })
})
