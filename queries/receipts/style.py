"""The look of a receipt's page."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d0d7de; --soft: #f6f8fa;
  --good: #0f6b34; --bad: #a40e26; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --line: #30363d;
  --soft: #161b22; --good: #56d364; --bad: #ff7b72; --link: #79b8ff; } }
body { margin: 0; color: var(--ink); background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.15rem; border-left: .4rem solid; padding-left: .75rem; overflow-wrap: anywhere; }
h1.whole { border-color: var(--good); color: var(--good); }
h1.plain { border-color: var(--line); }
h1.broken { border-color: var(--bad); color: var(--bad); }
h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
.value { font-size: 2.2rem; font-weight: 600; margin: .5rem 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; min-width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; background: var(--soft); padding: .75rem; font-size: .85rem; }
code { overflow-wrap: anywhere; }
a { color: var(--link); }
td a { display: inline-block; min-width: 24px; min-height: 24px; }
footer { margin-top: 2rem; border-top: 1px solid var(--line); font-size: .85rem; }
@media print { .wide, pre { overflow: visible; } }
"""
