// Headless Chromium (Debian's package) for the pages of the examples, and what every page is held to.
// SCREENSHOTS names a folder for pictures of each state, to be looked at.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'

// Only inside the page. The tests are typed for Node alone.
declare const document: any
declare const getComputedStyle: any

const CHROMIUM = '/usr/bin/chromium'
export const hasChromium = existsSync(CHROMIUM)
if (!hasChromium) console.warn(`The tests of the pages skip: there is no ${CHROMIUM}.`)

const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: `--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
  --disable-component-update --disable-sync`.split(/\s+/),
  })

/** For what a busy machine may take long to show. */
export const SOON = { timeout: 20_000 }

/** The ways a page is looked at. */
export const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: 'light', viewport: { width: 1100, height: 800 } },
  dark: { colorScheme: 'dark', viewport: { width: 1100, height: 800 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 } },
}

/** Opens pages in a browser of the surrounding block. The pages of a test are closed behind it. */
export function useBrowser(): (look?: string) => Promise<Page> {
  let browser: Browser
  beforeAll(async () => void (browser = await startBrowser()), 60_000)
  afterEach(async () => void (await Promise.all(browser.contexts().map((context) => context.close()))))
  afterAll(() => browser.close())
  return async (look = 'light') => {
    const page = await browser.newPage(LOOKS[look])
    page.setDefaultTimeout(SOON.timeout)
    return page
  }
}

export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}

/** Texts on the page with less than 4.5:1 contrast, and, for a narrow page, whether it scrolls sideways. */
export function faults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const parse = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number)
    const luminance = ([r = 0, g = 0, b = 0]: number[]) => {
      const [x, y, z] = [r, g, b]
        .map((part) => part / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      return 0.2126 * x! + 0.7152 * y! + 0.0722 * z!
    }
    const behind = (element: any): number[] => {
      for (let at = element; at; at = at.parentElement) {
        const color = parse(getComputedStyle(at).backgroundColor)
        if ((color[3] ?? 1) === 1) return color
      }
      return [255, 255, 255]
    }
    const found: string[] = []
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth > clientWidth) found.push(`scrolls sideways: ${scrollWidth} > ${clientWidth}`)
    for (const element of document.querySelectorAll('body *')) {
      const text = [...element.childNodes].some((node: any) => node.nodeType === 3 && node.textContent?.trim())
      const { width } = element.getBoundingClientRect()
      if (!text || width < 2 || element.closest('svg, :disabled')) continue
      const [one = 0, two = 0] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))].sort(
        (a, b) => b - a,
      )
      const ratio = (one + 0.05) / (two + 0.05)
      if (ratio < 4.5)
        found.push(`${ratio.toFixed(2)}:1 ${element.tagName} ${element.textContent?.trim().slice(0, 40)}`)
    }
    return found
  })
}
