import { expect } from 'vitest'
import type { RawAnswer } from './raw.ts'

/** An answer is a success, or says what is wrong in `error` and `code`, and never shows the inside of the server. */
export function expectCivil(answer: RawAnswer, context: string): void {
  expect(answer.status, `${context} ${answer.text}`).toBeLessThan(500)
  expect(answer.text, context).not.toMatch(/\n\s+at |node_modules|\.ts:\d|sqlite/i)
  if (answer.status < 400) return
  expect(answer.body, context).toEqual({ error: expect.stringMatching(/./), code: expect.stringMatching(/^[a-z_]+$/) })
  expect(answer.headers['content-type'], context).toMatch(/^application\/json/)
}

/** An answer is this refusal and a civil one. */
export function expectRefusal(answer: RawAnswer, status: number, code: string): void {
  expectCivil(answer, code)
  expect({ status: answer.status, code: answer.body?.code }).toEqual({ status, code })
}
