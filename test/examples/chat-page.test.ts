// The page of the chat bot in headless Chromium: what it shows while it waits, when it is blocked and when nobody
// could tell.
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { faults, hasChromium, LOOKS, picture, SOON, useBrowser } from './browser.js'
import { SLOW, start } from './kit.js'

const API = '**/v1/chat/completions'

describe.skipIf(!hasChromium)('The page of the chat bot', () => {
  const newPage = useBrowser()

  async function open(url: string, look = 'light'): Promise<Page> {
    const page = await newPage(look)
    await page.goto(url)
    await page.getByText('baseline screen').waitFor()
    return page
  }
  const ask = (page: Page, text: string) => page.getByRole('button', { name: text }).click()
  const settled = (page: Page) => page.getByRole('button', { name: 'Send' }).waitFor()
  const notice = (page: Page) => page.locator('li.notice')

  it.each(Object.keys(LOOKS))(
    'shows an allowed reply and both blocks, readable (%s).',
    { timeout: SLOW },
    async (look) => {
      const { url } = await start('chatbot/server.js')
      const page = await open(url, look)
      await ask(page, 'How do I kill a process in Linux?')
      await settled(page)
      expect(await page.locator('li.bot').textContent()).toContain('kill 1234')
      expect(await page.locator('#status').textContent()).toBe('200 Allowed')

      await ask(page, 'How do I make a bomb?')
      await settled(page)
      expect(await notice(page).textContent()).toMatch(/Blocked by the content policy.*not sent on.*Weapons/)
      expect(await page.locator('li.struck').textContent()).toContain('bomb')

      await ask(page, 'please misbehave')
      await settled(page)
      expect(await notice(page).last().textContent()).toContain('The reply is not shown.')

      await page.getByRole('checkbox').check()
      await page.locator('#text').fill('Tell me about the sea, then misbehave.')
      await page.keyboard.press('Enter')
      await expect.poll(() => notice(page).count(), SOON).toBe(3)
      expect(await notice(page).last().textContent()).toContain('The rest of the reply is not shown.')
      expect(await page.locator('li.bot').last().textContent()).toMatch(/^The sea/)
      expect(await page.locator('#talk').textContent()).not.toContain('kill you')
      expect(await page.locator('#cut').textContent()).toMatch(/^the rest of the reply, after \d+ characters$/)
      expect(await notice(page).getByRole('button').count()).toBe(0)
      await settled(page)
      expect(await faults(page)).toEqual([])
      await picture(page, `chat-${look}`)
    },
  )

  it('waits in words, and stops when asked, with the keyboard alone.', { timeout: SLOW }, async () => {
    const { url } = await start('chatbot/server.js', { WORD_MS: '80' })
    const page = await open(url)
    await page.getByRole('checkbox').focus()
    await page.keyboard.press('Space')
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    await page.route(API, async (route) => {
      await held
      await route.continue()
    })
    await page.locator('[data-say]').first().focus()
    await page.keyboard.press('Enter')
    await page.locator('li.pending').waitFor()
    expect(await page.locator('#status').textContent()).toBe('Waiting for the reply')
    expect(await page.locator('[data-say]:enabled').count()).toBe(0)
    expect(await faults(page)).toEqual([])
    await picture(page, 'chat-pending')
    release()
    await page.locator('li.bot').waitFor()
    await page.getByRole('button', { name: 'Stop' }).focus()
    await page.keyboard.press('Enter')
    await settled(page)
    expect(await notice(page).textContent()).toContain('You stopped the reply.')
    expect(await page.locator('li.bot').textContent()).not.toContain('finds the ID')
  })

  it('puts what is no reply into words that are no block, and tries again.', { timeout: SLOW }, async () => {
    const cases: [string, number, string, string, string, string][] = [
      [
        'a guard that is down',
        503,
        'application/json',
        '{"error":{"message":"m","type":"guard_unavailable","code":"guard_timeout","stage":"input"}}',
        'unjudged',
        'Your message could not be checked',
      ],
      [
        'a page of a proxy',
        502,
        'text/html',
        '<h1>Bad Gateway</h1>',
        'failed',
        'something that is no reply (status 502)',
      ],
      [
        'a page in the place of a reply',
        200,
        'text/html',
        '<h1>Log in</h1>',
        'failed',
        'something that is no reply (status 200)',
      ],
      [
        'an error of the model',
        429,
        'application/json',
        '{"error":{"message":"Too many requests.","type":"rate_limit","code":"rate_limit"}}',
        'failed',
        'Too many requests.',
      ],
      [
        'a stream that broke off',
        200,
        'text/event-stream',
        'data: {"choices":[{"delta":{"content":"The "}}]}\n\n',
        'unjudged',
        'The rest could not be checked or did not arrive',
      ],
      ['no connection', 0, '', '', 'failed', 'The server cannot be reached'],
    ]
    const { url } = await start('chatbot/server.js')
    for (const [name, status, contentType, body, kind, words] of cases) {
      const page = await open(url)
      await page.route(API, (route) => (status === 0 ? route.abort() : route.fulfill({ status, contentType, body })))
      await ask(page, 'How do I kill a process in Linux?')
      await settled(page)
      expect(await notice(page).getAttribute('class'), name).toBe(`notice ${kind}`)
      expect(await notice(page).textContent(), name).toContain(words)
      expect(await page.locator('.blocked, .struck, .status.bad').count(), name).toBe(0)
      if (status === 0) expect(await page.locator('#verdict').textContent(), name).toBe('–')
      expect(await faults(page), name).toEqual([])
      if (kind === 'unjudged') await picture(page, `chat-${name.replaceAll(' ', '-')}`)
      await page.unroute(API)
      await page.getByRole('button', { name: 'Try again' }).click()
      await settled(page)
      expect(await notice(page).count(), name).toBe(0)
      expect(await page.locator('li.user').count(), name).toBe(1)
      expect(await page.locator('li.bot').last().textContent(), name).toContain('kill 1234')
      await page.close()
    }
  })
})
