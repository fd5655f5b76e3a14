// The page in headless Chromium: signing in, numbers as they come, the playground, and what it says when it is cut off.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { faults, hasChromium, LOOKS, picture, SOON, useBrowser } from '../examples/browser.js'
import { emulated, type Emulated } from '../helpers/emulated.js'
import { markerGuard } from '../helpers/guards.js'
import { send } from '../helpers/http.js'
import { few } from '../helpers/sampled.js'
import { start } from './kit.js'

const SLOW = 60_000
const TOKEN = 'a-long-random-token-0123456789'

describe.skipIf(!hasChromium)('The page of the dashboard', () => {
  const newPage = useBrowser()
  let real: Emulated
  beforeAll(async () => void (real = await emulated()))
  afterAll(() => real.close())

  async function open(url: string, look = 'light'): Promise<{ page: Page; complaints: string[] }> {
    const page = await newPage(look)
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(url)
    return { page, complaints }
  }
  const connected = (page: Page) => page.getByText('● Connected').waitFor()
  const rowsOf = (page: Page, table: string) =>
    page.getByRole('table', { name: table, exact: true }).locator('tbody tr').allInnerTexts()
  const inputs = { guard: 'sagemaker', model: 'llama-guard-1', categories: undefined } as const

  it.each(few(Object.keys(LOOKS), 1))(
    'signs in, counts, and asks a guard, readable (%s).',
    { timeout: SLOW },
    async (look) => {
      const app = await start(
        { token: TOKEN, playground: true },
        { ...inputs, endpoint: real.emulator.endpoint, guards: [{ guard: 'local' }] },
      )
      const { page, complaints } = await open(app.page, look)
      await page.getByLabel('Token').fill('wrong')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').waitFor()
      // With its style, too.
      await page.waitForLoadState('load')
      expect(await faults(page)).toEqual([])
      await picture(page, `dashboard-sign-in-${look}`)
      await page.getByLabel('Token').fill(TOKEN)
      await page.keyboard.press('Enter')
      await connected(page)
      expect(page.url()).not.toContain(TOKEN)
      await page.getByText('No traffic yet').waitFor()
      expect(await faults(page)).toEqual([])
      await picture(page, `dashboard-empty-${look}`)

      for (const text of ['How do I kill a process in Linux?', 'How do I make a bomb?', 'How do I make a bomb?'])
        await app.ask(text)
      await send(`${app.url}/other`)
      await page.getByText('No traffic yet').waitFor({ state: 'hidden' })
      await expect.poll(() => rowsOf(page, 'Verdicts'), SOON).toEqual(['Input\t1\t2\t0\t2', 'Output\t1\t0\t0\t0'])
      expect((await rowsOf(page, 'Violated categories')).join()).toMatch(/O4 Guns and Illegal Weapons\s*2/)
      await expect.poll(async () => (await rowsOf(page, 'Not judged')).join(), SOON).toContain('no-body')
      expect(await page.locator('#blocked').innerText()).toBe('2')
      expect((await rowsOf(page, 'Checks')).join()).toContain('tokens read')
      expect(await page.locator('#bars rect.blocked').count()).toBeGreaterThan(0)
      await page.getByLabel('Window').selectOption('day')
      await page.getByText('Requests, last day').waitFor()
      expect(await page.locator('#blocked').innerText()).toBe('2')

      await page.getByLabel('What the user says').fill('How do I make a bomb?')
      await page.getByLabel('Guard', { exact: true }).selectOption('guard.0')
      await page.getByRole('button', { name: 'Judge' }).click()
      await page.getByRole('article').waitFor()
      const seen = 'document.querySelector(".verdict").getBoundingClientRect().bottom <= innerHeight'
      expect(await page.evaluate(seen)).toBe(true)
      expect(await page.getByRole('article').innerText()).toContain('would be blocked')
      await page.locator('article summary').click()
      expect(await page.locator('article pre').innerText()).toContain('Guns and Illegal Weapons')
      expect(await faults(page)).toEqual([])
      await picture(page, `dashboard-${look}`)
      expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
    },
  )

  it('is worked by keyboard: a question, and an answer to it.', { timeout: SLOW }, async () => {
    const app = await start({ playground: true })
    const { page } = await open(`${app.page}/`)
    await connected(page)
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').innerText()).toBe('Playground')
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
    await page.keyboard.press('Enter')
    // Past four samples.
    for (let times = 0; times < 5; times++) await page.keyboard.press('Tab')
    await page.keyboard.type('Tell me about tulips.')
    await page.keyboard.press('Control+Enter')
    await page.getByText('Done: safe.').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.type('UNSAFE tulips')
    await page.keyboard.press('Control+Enter')
    await page.getByText('Done: unsafe.').waitFor()
    await page.getByLabel('What the user says').fill(' ')
    await page.keyboard.press('Control+Enter')
    await page.getByText('Write a text first.').waitFor()
    await page.getByRole('button', { name: 'A harmful reply' }).click()
    await page.getByText('Done: safe.').waitFor()
    expect(await page.getByLabel('What the model answers').inputValue()).toContain('kill him')
  })

  it('says that it is cut off, that there is no room, and that it is back.', { timeout: SLOW }, async () => {
    const app = await start({}, { guard: markerGuard() })
    const { page } = await open(app.page)
    await connected(page)
    let answer: { status: number; json: object } | undefined
    await page.route('**/guard?events', (route) => (answer ? route.fulfill(answer) : route.continue()))
    answer = { status: 503, json: { error: { message: '16 dashboards are open already.', code: 'too_many_pages' } } }
    await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
    await page.getByText('16 dashboards are open already.').waitFor()
    expect(await page.getByRole('status').innerText()).toMatch(/^✕/)
    await page.getByText(/No traffic/).waitFor()
    answer = undefined
    await connected(page)
    await app.close()
    await page.getByText(/Reconnecting. The numbers are from \d\d:\d\d:\d\d/).waitFor()
    expect(await rowsOf(page, 'Guards')).toEqual(['None so far'])
    expect(await faults(page)).toEqual([])
    await picture(page, 'dashboard-cut-off')
  })
})
