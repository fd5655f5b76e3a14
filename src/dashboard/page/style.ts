// The style of the pages.
export const STYLE = String.raw`:root {
  color-scheme: light dark;
  --ink: light-dark(#16181d, #eceef2);
  --soft: light-dark(#5b6270, #a3abba);
  --paper: light-dark(#f4f5f8, #101216);
  --card: light-dark(#ffffff, #191c22);
  --line: light-dark(#dfe2e9, #2c313b);
  --field: light-dark(#868d9b, #6b7382);
  --accent: light-dark(#4338ca, #8b83ff);
  --on-accent: light-dark(#ffffff, #12101f);
  --bar: light-dark(#c7c4f2, #3d3a75);
  --good: light-dark(#0b6b3a, #57d996);
  --good-bg: light-dark(#e2f6ea, #10301f);
  --bad: light-dark(#a4161a, #ff9a94);
  --bad-bg: light-dark(#fdeaea, #3a1618);
  --warn: light-dark(#7a4b00, #ffc766);
  --warn-bg: light-dark(#fff3d9, #33260c);
}
* {
  box-sizing: border-box;
}
[hidden] {
  display: none !important;
}
body {
  margin: 0;
  min-height: 100dvh;
  background: var(--paper);
  color: var(--ink);
  font:
    16px/1.5 system-ui,
    sans-serif;
}
header {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.6rem 0.8rem;
  padding: 0.8rem 1.25rem;
  border-bottom: 1px solid var(--line);
  background: var(--card);
}
header div {
  flex: 1;
  min-width: 0;
}
a {
  color: var(--accent);
}
h1 {
  margin: 0;
  font-size: 1.1rem;
  line-height: 1.3;
}
h2 {
  margin: 0 0 0.7rem;
  font-size: 1rem;
}
h3 {
  margin: 0 0 0.4rem;
  font-size: 0.95rem;
  overflow-wrap: anywhere;
}
.sub {
  margin: 0;
  font-size: 0.85rem;
  color: var(--soft);
  overflow-wrap: anywhere;
}
.badge {
  margin: 0;
  padding: 0.15rem 0.75rem;
  border-radius: 12px;
  font-size: 0.85rem;
  background: var(--paper);
  color: var(--soft);
}
.good {
  background: var(--good-bg);
  color: var(--good);
}
.bad {
  background: var(--bad-bg);
  color: var(--bad);
}
.warn {
  background: var(--warn-bg);
  color: var(--warn);
}
main,
footer {
  max-width: 76rem;
  margin: 0 auto;
  padding: 1.25rem;
}
main {
  display: grid;
  gap: 1rem;
}
footer {
  padding-top: 0;
  font-size: 0.85rem;
  color: var(--soft);
}
footer p {
  margin: 0;
}
.panel {
  min-width: 0;
  padding: 1.1rem 1.25rem;
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 14px;
}
.notice {
  margin: 0;
  padding: 0.7rem 1rem;
  border: 1px dashed;
  border-radius: 10px;
  background: var(--warn-bg);
  color: var(--warn);
}
.notice.calm {
  background: none;
  color: var(--soft);
}
.notice.bad {
  background: var(--bad-bg);
  color: var(--bad);
}
.hint {
  margin: 0.6rem 0 0;
  font-size: 0.85rem;
  color: var(--soft);
}
.hint:empty {
  display: none;
}
.tiles {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: 1rem;
  margin: 0 0 1.1rem;
}
.tiles div {
  display: flex;
  flex-direction: column;
  justify-content: space-between;
}
dt {
  font-size: 0.8rem;
  line-height: 1.35;
  color: var(--soft);
}
dd {
  margin: 0;
  overflow-wrap: anywhere;
}
.tiles dd {
  align-self: flex-start;
  margin-top: 0.15rem;
  border-radius: 8px;
  font-size: 1.45rem;
  font-weight: 650;
  line-height: 1.3;
  font-variant-numeric: tabular-nums;
}
.tiles dd.bad,
.tiles dd.warn {
  padding: 0 0.5rem;
}
figure {
  margin: 0;
}
svg {
  display: block;
  width: 100%;
  height: 7rem;
  background: var(--paper);
  border-bottom: 1px solid var(--field);
}
svg .released {
  fill: var(--accent);
}
svg .ground {
  fill: var(--bad);
}
svg .stripe {
  stroke: var(--bad-bg);
  stroke-width: 2;
}
svg .unjudged {
  fill: var(--warn-bg);
  stroke: var(--warn);
  stroke-dasharray: 3 2;
  vector-effect: non-scaling-stroke;
}
.scale {
  display: flex;
  justify-content: space-between;
  gap: 1rem;
  margin: 0.2rem 0;
  font-size: 0.8rem;
  color: var(--soft);
}
.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 0.3rem 1.4rem;
  margin: 0.5rem 0 0;
  padding: 0;
  list-style: none;
  font-size: 0.85rem;
  color: var(--soft);
}
.legend li {
  display: flex;
  align-items: center;
  gap: 0.45rem;
}
.legend li::before {
  content: '';
  width: 0.8rem;
  height: 0.8rem;
  border-radius: 3px;
  border: 1px solid transparent;
}
.legend .released::before {
  background: var(--accent);
}
.legend .blocked::before {
  background: repeating-linear-gradient(var(--bad) 0 3px, var(--bad-bg) 3px 4px);
}
.legend .unjudged::before {
  background: var(--warn-bg);
  border: 1px dashed var(--warn);
}
.legend b {
  color: var(--ink);
  font-variant-numeric: tabular-nums;
}
.grid {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr));
  gap: 1rem;
}
table {
  width: 100%;
  border-collapse: collapse;
  font-size: 0.9rem;
}
th,
td {
  padding: 0.3rem 0 0.3rem 0.8rem;
  border-bottom: 1px solid var(--line);
  text-align: right;
  font-variant-numeric: tabular-nums;
  white-space: nowrap;
}
th:first-child,
td.empty {
  padding-left: 0;
  text-align: left;
  white-space: normal;
  overflow-wrap: anywhere;
}
thead th {
  font-size: 0.8rem;
  font-weight: 400;
  color: var(--soft);
}
tbody th {
  font-weight: 400;
}
tbody tr:last-child > * {
  border-bottom: 0;
}
td.empty,
th small {
  color: var(--soft);
}
th small {
  display: block;
  line-height: 1.35;
}
.bar {
  display: block;
  height: 0.3rem;
  margin: 0.2rem 0 0.1rem;
  width: calc(100% * var(--share));
  min-width: 2px;
  border-radius: 2px;
  background: var(--bar);
}
.sign-in {
  min-height: 90dvh;
  place-content: center;
}
.sign-in form {
  width: min(24rem, calc(100vw - 2.5rem));
  display: grid;
  gap: 0.6rem;
  padding: 1.6rem;
}
.sign-in .hint {
  margin: 0 0 0.4rem;
}
input:not([type='checkbox']),
select,
textarea {
  width: 100%;
  padding: 0.5rem 0.7rem;
  font: inherit;
  color: inherit;
  background: var(--paper);
  border: 1px solid var(--field);
  border-radius: 10px;
}
textarea {
  resize: vertical;
}
::placeholder {
  color: var(--soft);
  opacity: 1;
}
button {
  padding: 0.35rem 0.9rem;
  font: inherit;
  color: inherit;
  background: none;
  border: 1px solid var(--field);
  border-radius: 10px;
  cursor: pointer;
}
button:hover {
  border-color: var(--accent);
}
button.main {
  padding: 0.5rem 1.3rem;
  font-weight: 600;
  background: var(--accent);
  border-color: var(--accent);
  color: var(--on-accent);
}
button:disabled {
  opacity: 0.55;
  cursor: default;
}
:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 2px;
}
code,
pre,
.code {
  font:
    0.85rem/1.5 ui-monospace,
    monospace;
}
#ask .hint {
  margin: 0;
}
#ask {
  display: grid;
  gap: 0.9rem;
  justify-items: start;
  margin-top: 0.9rem;
}
#ask > * {
  max-width: 100%;
}
#turns,
#ask .sides,
#policyBox {
  width: 100%;
}
#turns {
  display: grid;
  gap: 0.9rem;
  margin: 0;
  padding: 0;
  list-style: none;
}
#turns li {
  display: grid;
  grid-template-columns: auto 1fr auto;
  align-items: center;
  gap: 0.5rem 0.7rem;
}
#turns select {
  width: auto;
}
#turns textarea {
  grid-column: 1 / -1;
}
#turns .last {
  font-size: 0.85rem;
  color: var(--soft);
}
#turns button {
  grid-column: 3;
}
.sides {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr));
  gap: 1rem;
}
fieldset {
  min-width: 0;
  margin: 0;
  padding: 0;
  border: 0;
  display: grid;
  gap: 0.4rem;
}
legend {
  padding: 0;
  margin-bottom: 0.3rem;
  font-size: 0.9rem;
  font-weight: 600;
}
.check {
  display: flex;
  align-items: center;
  gap: 0.5rem;
  font-size: 0.9rem;
}
.check:has(:disabled) {
  color: var(--soft);
}
summary {
  cursor: pointer;
  font-size: 0.9rem;
  color: var(--soft);
  overflow-wrap: anywhere;
}
details label {
  display: block;
  margin: 0.5rem 0 0.3rem;
  font-size: 0.9rem;
}
.go {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.9rem;
}
#said {
  margin: 0;
  border-radius: 8px;
}
#said.warn {
  padding: 0.3rem 0.7rem;
}
#results:not(:empty) {
  margin-top: 1.1rem;
}
.result {
  min-width: 0;
  padding: 0.9rem 1rem;
  border: 1px solid var(--line);
  border-top: 4px solid var(--good);
  border-radius: 10px;
}
.result.unsafe {
  border-top-color: var(--bad);
}
.result.unjudged {
  border-top: 4px dashed var(--warn);
}
.verdict {
  margin: 0 0 0.7rem;
  font-weight: 600;
  color: var(--good);
}
.unsafe .verdict {
  color: var(--bad);
}
.unjudged .verdict {
  color: var(--warn);
}
.result dl {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr));
  gap: 0.6rem 1rem;
  margin: 0 0 0.8rem;
}
.result details + details {
  margin-top: 0.4rem;
}
pre {
  margin: 0.5rem 0 0;
  max-height: 22rem;
  overflow: auto;
  padding: 0.7rem;
  white-space: pre-wrap;
  overflow-wrap: anywhere;
  background: var(--paper);
  border-radius: 10px;
}
@media (max-width: 30rem) {
  header div {
    flex-basis: 75%;
  }
  header .badge {
    margin-left: auto;
  }
  header,
  main,
  footer {
    padding-inline: 0.8rem;
  }
  .panel {
    padding: 0.9rem;
  }
  .tiles {
    grid-template-columns: repeat(2, 1fr);
  }
}
`
