import { Validator } from '@seriousme/openapi-schema-validator'
import { describeApi } from './src/api/openapi/index.ts'

const t = performance.now()
const d = describeApi()
console.log(performance.now() - t, JSON.stringify(d).length)
const v = new Validator()
console.log(await v.validate(JSON.parse(JSON.stringify(d))))
console.log(
  Object.keys((d as any).components.schemas),
  (d as any).tags.map((t: any) => t.name),
)

import { writeFileSync } from 'node:fs'

writeFileSync('/tmp/openapi.json', JSON.stringify(d, null, 2))
