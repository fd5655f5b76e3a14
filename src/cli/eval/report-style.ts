// The style sheet of the report. The page is readable from a width of 390 pixels: charts fill the width, and a wider
// table scrolls in its own box.
export const STYLE = `
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5b6b7b;--rule:#d9e0e7;--page:#fff;--safe:#2a78b8;--unsafe:#c8452e}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa9b8;--rule:#344250;--page:#141b22;--safe:#5aa9e6;--unsafe:#f07a60}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:1000px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:0}
h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid var(--rule)}
h4{margin:1rem 0 .3rem;font-size:.95rem}
h1,h2,h3,h4,p,summary,figcaption{overflow-wrap:anywhere}
p.soft,.soft{color:var(--soft)}
.scroll{overflow-x:auto;max-width:100%;margin:.6rem 0}
table{border-collapse:collapse}
th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid var(--rule);font-variant-numeric:tabular-nums;vertical-align:bottom}
th:first-child,td:first-child{text-align:left}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(380px,100%),1fr));gap:1.5rem}
figure{margin:0;min-width:0}
figcaption{font-weight:600;margin-bottom:.3rem}
svg{width:100%;height:auto;display:block}
svg text{font:11px system-ui,sans-serif;fill:var(--soft)}
.grid{stroke:var(--rule)}
.line{fill:none;stroke-width:2}
.line.series0{stroke:var(--unsafe)}.line.series1{stroke:var(--safe)}
.mark.series0{fill:var(--unsafe)}.mark.series1{fill:var(--safe)}
rect.safe,.bar{fill:var(--safe)}rect.unsafe{fill:var(--unsafe)}
.key{white-space:nowrap}
.key b{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}
.key .safe{background:var(--safe)}.key .unsafe{background:var(--unsafe)}
details{border-bottom:1px solid var(--rule);padding:.3rem 0}
summary{cursor:pointer}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.45 ui-monospace,monospace;margin:.4rem 0}
.heat td{text-align:center}
.warn{border-left:4px solid var(--unsafe);padding:.3rem .8rem}
@media (max-width:480px){body{margin:1rem auto;padding:0 .8rem}th,td{padding:.25rem .4rem;font-size:.85rem}}`
