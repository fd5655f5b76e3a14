// The page of the dashboard, and the one that asks for its token. Numbers are filled in by the page's script.
import type { PlaygroundGuard } from '../playground-guards.js'
import { playgroundHtml } from './playground-html.js'
import { escapeHtml } from './escape-html.js'

export interface PageFacts {
  readonly model: string
  readonly mode: 'enforce' | 'shadow'
  /** Undefined without a playground. */
  readonly guards: readonly PlaygroundGuard[] | undefined
}

const head = (title: string, more = ''): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="robots" content="noindex" />
    <title>${title}</title>
    <link rel="icon" href="?icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="?style.css" />${more}
  </head>
`

export function pageHtml({ model, mode, guards }: PageFacts): string {
  const scripts = ['page.js', ...(guards === undefined ? [] : ['playground.js'])]
    .map((name) => `\n    <script type="module" src="?${name}"></script>`)
    .join('')
  const note = mode === 'shadow' ? '<p class="badge warn">Shadow mode: nothing is blocked</p>' : ''
  return `${head('Llama Guard dashboard', scripts)}
  <body>
    <header>
      <img src="?icon.svg" alt="" width="28" height="28" />
      <div>
        <h1>Llama Guard</h1>
        <p class="sub">${escapeHtml(model)}</p>
      </div>
      ${note}${guards === undefined ? '' : '\n      <a href="#playground">Playground</a>'}
      <p id="connection" class="badge" role="status">Connecting</p>
    </header>
    <main>
      <noscript><p class="notice">This page needs JavaScript to show numbers as they change.</p></noscript>
      <p id="quiet" class="notice calm" hidden>
        No traffic yet. As soon as a request reaches the guard and its response has ended, it is counted here.
      </p>
      ${NOW}
      <div class="grid">
        ${tables()}
      </div>
      ${guards === undefined ? '' : playgroundHtml(guards)}
    </main>
    <footer>
      <p>
        Counts of all guards of this process since <time id="since">&ndash;</time>. Only counts, durations and states
        come to this page: nothing of what anybody said.
      </p>
    </footer>
  </body>
</html>
`
}

export function signInHtml({ wrong }: { wrong: boolean }): string {
  return `${head('Sign in to the Llama Guard dashboard')}
  <body>
    <main class="sign-in">
      <form class="panel" method="post" action="?session">
        <img src="?icon.svg" alt="" width="36" height="36" />
        <h1>Llama Guard dashboard</h1>
        ${wrong ? '<p class="notice bad" role="alert" id="wrong">That is not the token. Nothing was opened.</p>' : ''}
        <input name="user" value="dashboard" autocomplete="username" hidden />
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus${
          wrong ? ' aria-invalid="true" aria-describedby="wrong hint"' : ' aria-describedby="hint"'
        } />
        <p class="hint" id="hint">The option <code>token</code>, or <code>LLAMA_GUARD_DASHBOARD_TOKEN</code>.</p>
        <button class="main">Sign in</button>
      </form>
    </main>
  </body>
</html>
`
}

const NOW = `<section class="panel" aria-labelledby="now">
        <h2 id="now">Now</h2>
        <dl class="tiles">
          <div><dt>Requests a second</dt><dd id="rate">&ndash;</dd></div>
          <div><dt>Blocked, last minute</dt><dd id="blocked">&ndash;</dd></div>
          <div><dt>No verdict, last minute</dt><dd id="unjudged">&ndash;</dd></div>
          <div><dt>Checks in flight</dt><dd id="flight">&ndash;</dd></div>
          <div><dt>Checks waiting</dt><dd id="waiting">&ndash;</dd></div>
          <div><dt>Circuit breaker</dt><dd id="breaker">&ndash;</dd></div>
        </dl>
        <figure>
          <p class="scale"><span>Requests by second, the last minute</span> <span id="most"></span></p>
          <svg aria-hidden="true" viewBox="0 0 600 100" preserveAspectRatio="none">
            <pattern id="stripes" width="10" height="8" patternUnits="userSpaceOnUse">
              <rect class="ground" width="10" height="8" /><path class="stripe" d="M0 2h10" />
            </pattern>
            <g id="bars"></g>
          </svg>
          <p class="scale" aria-hidden="true"><span>60 s ago</span> <span>now</span></p>
          <figcaption>
            <ul class="legend">
              <li class="released">released <b id="sumReleased">0</b></li>
              <li class="blocked">blocked <b id="sumBlocked">0</b></li>
              <li class="unjudged">without a verdict <b id="sumUnjudged">0</b></li>
            </ul>
          </figcaption>
        </figure>
      </section>`

interface TableFacts {
  readonly id: string
  readonly title: string
  readonly columns: readonly string[]
  readonly note?: string
}

const TABLES: readonly TableFacts[] = [
  {
    id: 'latency',
    title: 'Latency, last minute',
    columns: ['Stage', 'Judged', 'p50', 'p99'],
    note: 'How long a stage waited for its slowest check. Remembered verdicts are in it.',
  },
  { id: 'verdicts', title: 'Verdicts', columns: ['Stage', 'Safe', 'Unsafe', 'Unjudged', 'Blocked'] },
  { id: 'categories', title: 'Violated categories', columns: ['Category', 'Times'] },
  {
    id: 'notJudged',
    title: 'Not judged',
    columns: ['Reason', 'Times'],
    note: 'Stages and parts of requests that no guard saw, or that could not be judged.',
  },
  { id: 'errors', title: 'Failures to judge', columns: ['Code', 'Times'] },
  { id: 'guards', title: 'Guards', columns: ['Model', 'Breaker', 'In flight', 'Waiting'] },
  { id: 'cache', title: 'Verdict cache', columns: ['Question', 'Times'] },
  { id: 'saved', title: 'Checks saved', columns: ['By', 'Checks'] },
  { id: 'cost', title: 'Guard cost, estimated', columns: ['What', 'Amount'] },
]

function tables(): string {
  return TABLES.map(
    ({ id, title, columns, note = '' }) => `<section class="panel" aria-labelledby="${id}Title">
          <h2 id="${id}Title">${title}</h2>
          <table aria-labelledby="${id}Title">
            <thead>
              <tr>${columns.map((column) => `<th scope="col">${column}</th>`).join('')}</tr>
            </thead>
            <tbody id="${id}"></tbody>
          </table>
          <p class="hint" id="${id}Note">${note}</p>
        </section>`,
  ).join('\n        ')
}
