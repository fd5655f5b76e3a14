// The page of the streaming example in headless Chromium: the time line is readable, on a phone as well.
import { describe, expect, it } from 'vitest'
import { faults, hasChromium, LOOKS, picture, useBrowser } from './browser.js'
import { SLOW, start } from './kit.js'

describe.skipIf(!hasChromium)('The page of the streaming example', () => {
  const newPage = useBrowser()

  it.each(Object.keys(LOOKS))(
    'draws a cut stream in letters a person can read (%s).',
    { timeout: SLOW },
    async (look) => {
      const { url } = await start('streaming/server.js', { WORD_MS: '20' })
      const page = await newPage(look)
      await page.goto(url)
      await page.getByRole('button', { name: 'Tell me about the sea, then misbehave.' }).focus()
      await page.keyboard.press('Enter')
      await page.getByText('200, then cut').waitFor()
      await page.locator('#timeline .cut').waitFor({ state: 'attached' })
      await picture(page, `streaming-${look}`)
      // SVG text in real pixels, and no label on top of its neighbour.
      const labels: { x: number; y: number; width: number; height: number }[] = []
      for (const label of await page.locator('#timeline > text').all()) labels.push((await label.boundingBox())!)
      expect(labels.length).toBeGreaterThan(4)
      for (const { height } of labels) expect(height).toBeGreaterThan(12)
      const overlapping = labels.filter((one) =>
        labels.some(
          (two) => two !== one && one.x <= two.x && two.x < one.x + one.width && Math.abs(one.y - two.y) < one.height,
        ),
      )
      expect(overlapping).toEqual([])
      expect(await page.locator('#text').textContent()).not.toContain('kill you')
      expect(await page.locator('#leaked').textContent()).toBe('0')
      expect(await faults(page)).toEqual([])

      await page.getByRole('button', { name: 'How do I make a bomb?' }).click()
      await page.getByText('451 Blocked by the content policy').waitFor()
      await picture(page, `streaming-blocked-${look}`)
    },
  )

  it('judges at fixed distances where that is chosen.', { timeout: SLOW }, async () => {
    const { url } = await start('streaming/server.js', { WORD_MS: '20' })
    const page = await newPage()
    await page.goto(`${url}?streaming=fixed`)
    expect(await page.getByLabel('fixed').isChecked()).toBe(true)
    await page.getByRole('button', { name: 'Tell me about the sea, then misbehave.' }).click()
    await page.getByText(/^(?:200, then cut|451)/).waitFor()
    expect(await page.locator('#leaked').textContent()).toBe('0')
  })
})
