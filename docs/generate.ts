import { readFile, writeFile } from 'node:fs/promises'
import { describeApi } from '../src/api/openapi/index.ts'
import { operations } from '../src/api/operations/index.ts'
import { Environment } from '../src/config.ts'
import { tools } from '../src/tools/catalog.ts'

/** The settings table of the README. */
export function settingsTable(): string {
  const rows = Object.entries(Environment.shape).map(([name, field]) => {
    const { description } = field
    const given = field.safeParse(undefined)
    const shown = given.success && given.data !== undefined && !Array.isArray(given.data) ? `\`${given.data}\`` : ''
    return `| \`${name}\` | ${shown} | ${description} |`
  })
  return ['| Setting | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

/** The page that lists every operation with its tool and route. */
export function operationsPage(): string {
  const rows = operations.map((operation) => {
    const tool = tools.get(operation.name)
    const cost = tool ? `${Buffer.byteLength(JSON.stringify(tool.definition))} B` : 'not for assistants'
    return `| \`${operation.name}\` | \`${operation.http}\` | \`${operation.permission}\` | ${operation.effect} | ${cost} | ${operation.description} |`
  })
  const total = Buffer.byteLength(JSON.stringify([...tools.values()].map((tool) => tool.definition)))
  return [
    '# Operations',
    '',
    'Made by `npm run docs` from the registry. Paths are below `/api/v1`; the tool of the same name is at `/api/v1/mcp`.',
    `All ${tools.size} tools together cost ${total} bytes, about ${Math.round(total / 4)} tokens.`,
    '',
    '| Operation and tool | Route | Permission | Effect | Tool definition | What it does |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

const MARKED = /(<!-- settings -->\n)[\s\S]*?(<!-- \/settings -->)/

/** `readme` with the settings table of today. */
export function withSettings(readme: string): string {
  return readme.replace(MARKED, (_, before, after) => `${before}${settingsTable()}\n${after}`)
}

/** The description of the API as a file. */
export function openApiFile(): string {
  return `${JSON.stringify(describeApi(), null, 2)}\n`
}

if (import.meta.main) {
  await writeFile('README.md', withSettings(await readFile('README.md', 'utf8')))
  await writeFile('docs/operations.md', operationsPage())
  await writeFile('docs/openapi.json', openApiFile())
}
