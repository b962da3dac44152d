import { expect, test } from 'vitest'
import { Turn } from '../../src/storage/turn.ts'

/** Asks for work in lanes and tells in which order it was done. */
async function orderOf(asked: (string | undefined)[]): Promise<string[]> {
  const turn = new Turn()
  const done: string[] = []
  await Promise.all(
    asked.map((lane, index) => turn.take(async () => void done.push(`${lane ?? 'short'}${index}`), lane)),
  )
  return done
}

test('principals take turns, however much one of them asks for', async () => {
  expect(await orderOf(['a', 'a', 'a', 'b', 'c', 'b'])).toEqual(['a0', 'a1', 'b3', 'c4', 'a2', 'b5'])
})

test('short work goes before what principals wait for', async () => {
  expect(await orderOf(['a', 'a', 'b', undefined, undefined])).toEqual(['a0', 'short3', 'short4', 'a1', 'b2'])
})

test('one piece of work runs at a time, and a failing one harms nobody else', async () => {
  const turn = new Turn()
  let running = 0
  const work = (lane: string) =>
    turn.take(async () => {
      expect(++running).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 1))
      running--
      if (lane === 'b') throw new Error('b fails')
    }, lane)
  const outcomes = await Promise.allSettled(['a', 'b', 'c', 'a'].map(work))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
})
