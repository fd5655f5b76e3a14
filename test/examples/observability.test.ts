// The observability example against Debian's Prometheus: its files are valid, its alerts pass their own tests, and
// every query of the dashboard and the alerts finds what the example app reports after a mix of traffic.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { startEmulator, type Emulator } from '../emulator/index.js'
import { fails } from '../emulator/faults.js'
import { THROTTLED } from '../emulator/aws-errors.js'
import { chat, freePort, send } from '../helpers/http.js'
import { bare, ROOT, SLOW, start, tree, type Example } from './kit.js'

const run = promisify(execFile)
const FOLDER = join(ROOT, 'examples/observability')
const [PROMETHEUS, PROMTOOL] = ['/usr/bin/prometheus', '/usr/bin/promtool']
const installed = existsSync(PROMETHEUS) && existsSync(PROMTOOL)
if (!installed) console.warn(`The tests of examples/observability skip: there is no ${PROMETHEUS}.`)

const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')
const rules: readonly { alert: string; expr: string }[] = parse(read('alerts.yaml')).groups.flatMap(
  (group: any) => group.rules,
)
const dashboard = JSON.parse(read('grafana/dashboards/llama-guard.json'))
const panels: readonly [title: string, expr: string][] = dashboard.panels.flatMap((panel: any) =>
  panel.targets.map(({ expr }: any) => [panel.title, expr]),
)

describe('The files of the example', () => {
  const compose = parse(read('compose.yaml'))

  it('are YAML, and the containers mount only what is there', () => {
    const yaml = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'))
    expect(yaml.length).toBeGreaterThan(5)
    for (const name of yaml) expect(() => void parse(read(name), { strict: true }), name).not.toThrow()
    for (const { volumes = [] } of Object.values<any>(compose.services))
      for (const volume of volumes) expect(existsSync(join(FOLDER, volume.split(':')[0])), volume).toBe(true)
  })

  it('agree on where everything listens', () => {
    const collector = parse(read('collector.yaml'))
    const targets = parse(read('prometheus.yaml')).scrape_configs.flatMap((job: any) => job.static_configs[0].targets)
    const { host, port } = new URL(`http://${collector.exporters.prometheus.endpoint}`)
    expect([host, targets]).toEqual([`0.0.0.0:${port}`, ['app:3000', `collector:${port}`]])
    expect(compose.services.app.environment.OTEL_EXPORTER_OTLP_ENDPOINT).toBe(
      `http://collector:${collector.receivers.otlp.protocols.http.endpoint.split(':')[1]}`,
    )
    for (const { receivers, processors, exporters } of Object.values<any>(collector.service.pipelines)) {
      expect(Object.keys(collector.receivers)).toEqual(expect.arrayContaining(receivers))
      expect(Object.keys(collector.processors)).toEqual(expect.arrayContaining(processors))
      expect(Object.keys(collector.exporters)).toEqual(expect.arrayContaining(exporters))
    }
    const { path } = parse(read('grafana/provisioning/dashboards/llama-guard.yaml')).providers[0].options
    expect(compose.services.grafana.volumes).toContain(`./grafana/dashboards:${path}:ro`)
    const [source] = parse(read('grafana/provisioning/datasources/prometheus.yaml')).datasources
    for (const panel of dashboard.panels) expect(panel.datasource.uid).toBe(source.uid)
  })

  it.skipIf(!installed)(
    'are valid to promtool, and the alerts fire when they should and not otherwise',
    async () => {
      for (const argv of [
        ['check', 'config', 'prometheus.yaml'],
        ['check', 'rules', 'alerts.yaml'],
        ['test', 'rules', 'alerts.test.yaml'],
      ])
        expect((await run(PROMTOOL, argv, { cwd: FOLDER })).stdout).toContain('SUCCESS')
      const tested = new Set(
        parse(read('alerts.test.yaml'))
          .tests.flatMap((test: any) => test.alert_rule_test)
          .filter(({ exp_alerts: fires }: any) => fires !== undefined)
          .map(({ alertname }: any) => alertname),
      )
      expect(rules.map(({ alert }) => alert).filter((alert) => !tested.has(alert))).toEqual([])
    },
    30_000,
  )
})

describe.skipIf(!installed)('In Prometheus', () => {
  let folder: string
  let emulator: Emulator
  let app: Example
  let prometheus: ChildProcess
  let url: string

  async function query(expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const answer: any = await (await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`)).json()
    expect(answer.status, `${expr}: ${answer.error}`).toBe('success')
    return answer.data.result
  }
  const found = (expr: string): Promise<unknown> =>
    vi.waitFor(async () => expect((await query(expr)).length, `${expr}: ${await scraping()}`).toBeGreaterThan(0), {
      timeout: 30_000,
      interval: 500,
    })
  /** How Prometheus fares with the app: where nothing is found, this says why. */
  async function scraping(): Promise<string> {
    const answer: any = await (await fetch(`${url}/api/v1/targets`)).json()
    const [{ health, lastError, lastScrape }] = answer.data.activeTargets
    return `${health}, scraped ${lastScrape}, now ${new Date().toISOString()}, ${lastError}`
  }

  /** Every way a request ends: judged, blocked, remembered, throttled, passed, and differing from the guard on trial. */
  async function traffic(): Promise<void> {
    await run(process.execPath, [join(tree(), 'examples/observability/traffic.js'), app.url, '3'])
    const ask = (text: string): Promise<unknown> => send(`${app.url}/v1/chat/completions`, { body: chat(text) })
    await ask('UNSAFE_O3 but only to the endpoint')
    await ask('I will hunt down those filthy immigrants and slaughter them')
    emulator.behave(fails(THROTTLED), { times: 2 })
    await ask(`throttled ${Math.random()}`)
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'observability-'))
    emulator = await startEmulator()
    const policy = join(folder, 'policy.json')
    writeFileSync(policy, JSON.stringify({ actions: { O1: 'block' } }))
    app = await start('observability/server.js', {
      ...emulator.env,
      LLAMA_GUARD_ENDPOINT: emulator.endpoint,
      LLAMA_GUARD_POLICY: policy,
      SHADOW_RATE: '1',
      AUDIT: join(folder, 'audit.jsonl'),
    })
    const config = parse(read('prometheus.yaml'))
    // A scrape may take as long as its interval, and an app on a busy machine a second.
    config.global = { scrape_interval: '3s', evaluation_interval: '1s' }
    config.rule_files = [join(FOLDER, 'alerts.yaml')]
    config.scrape_configs = [{ job_name: 'app', static_configs: [{ targets: [new URL(app.url).host] }] }]
    writeFileSync(join(folder, 'prometheus.yaml'), stringify(config))
    const address = `127.0.0.1:${await freePort()}`
    url = `http://${address}`
    prometheus = spawn(
      PROMETHEUS,
      [
        `--config.file=${join(folder, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
        '--log.level=error',
      ],
      { env: bare(), stdio: 'ignore' },
    )
    await vi.waitFor(async () => expect((await fetch(`${url}/-/ready`)).status).toBe(200), {
      timeout: 30_000,
      interval: 200,
    })
    await traffic()
    await found('llama_guard_requests_total')
    await traffic()
  }, 2 * SLOW)
  afterAll(async () => {
    prometheus?.kill('SIGKILL')
    app?.child.kill('SIGKILL')
    await emulator?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('each query of the dashboard is answered with data', { timeout: 3 * SLOW }, async () => {
    expect(panels.length).toBeGreaterThan(15)
    for (const [, expr] of panels)
      await found(expr.replaceAll('$__rate_interval', '1m').replaceAll('$price', dashboard.templating.list[0].query))
  })

  it('each alert can be evaluated, and every series it names is there', { timeout: 3 * SLOW }, async () => {
    for (const { expr } of rules) {
      await query(expr)
      const selectors = expr.match(/llama_guard_\w+(?:\{[^}]*\})?/g)!
      for (const selector of selectors) await found(selector)
    }
    const health: any = await (await fetch(`${url}/api/v1/rules`)).json()
    const evaluated = health.data.groups.flatMap((group: any) => group.rules)
    expect(evaluated).toHaveLength(rules.length)
    expect(evaluated.filter(({ health }: any) => health === 'err')).toEqual([])
  })

  it('no label holds a word that was said', async () => {
    const series: any = await (await fetch(`${url}/api/v1/series?match[]={__name__=~"llama_guard_.%2B"}`)).json()
    expect(series.data.length).toBeGreaterThan(100)
    expect(JSON.stringify(series.data)).not.toMatch(/bomb|Linux|immigrants|throttled 0|sea/)
    expect(await query('sum(llama_guard_requests_total{outcome="judged"})')).not.toEqual([])
  })
})
