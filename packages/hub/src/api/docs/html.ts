const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}

/** Escaped text whose `words in backticks` are code. */
export function prose(text: string): string {
  return escape(text)
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replace(/\n/g, "<br>");
}

export const DOCS_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title><link rel="stylesheet" href="/docs/style.css"></head>
<body>${body}</body>
</html>
`;
}

export const STYLE = `:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --soft: color-mix(in srgb, currentColor 7%, transparent); }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; display: grid; grid-template-columns: 16rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line); font-size: .9rem; }
nav a { display: block; padding: .1rem .5rem; color: inherit; text-decoration: none; border-radius: .3rem; }
nav a:hover, nav a:focus-visible { background: var(--soft); }
nav h2 { font-size: .75rem; letter-spacing: .06em; text-transform: uppercase; margin: 1.2rem .5rem .3rem; opacity: .75; }
main { padding: 2rem clamp(1rem, 4vw, 3rem); max-width: 62rem; }
h1 { margin-top: 0; }
section { border-top: 1px solid var(--line); padding: 1.2rem 0; scroll-margin-top: 1rem; }
section h3 { margin: 0 0 .4rem; font-size: 1.05rem; }
code, pre { font: .9em/1.5 ui-monospace, monospace; }
code { background: var(--soft); padding: .1em .3em; border-radius: .25rem; }
pre { background: var(--soft); padding: .8rem 1rem; overflow: auto; border-radius: .4rem; }
pre code { background: none; padding: 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
.verb { font-weight: 700; margin-right: .5rem; }
@media (max-width: 50rem) { body { grid-template-columns: 1fr; } nav { position: static; height: auto; border: 0; } }
`;
