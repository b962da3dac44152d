import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { openApiFile, operationsPage, withSettings } from '../docs/generate.ts'

const read = (path: string) => readFile(path, 'utf8')

test('the list of operations is the one that npm run docs makes', async () => {
  expect(await read('docs/operations.md')).toBe(operationsPage())
})

test('the description of the API is the one that npm run docs makes', async () => {
  expect(await read('docs/openapi.json')).toBe(openApiFile())
})

test('the README has the settings that npm run docs makes', async () => {
  const readme = await read('README.md')
  expect(readme).toContain('| `HTTP_PORT` | `8080` |')
  expect(readme).toBe(withSettings(readme))
})

test('each dependency has its reason', async () => {
  const { dependencies, devDependencies } = JSON.parse(await read('package.json'))
  const page = await read('docs/dependencies.md')
  const named = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1])
  expect(named.sort()).toEqual(Object.keys({ ...dependencies, ...devDependencies }).sort())
})
