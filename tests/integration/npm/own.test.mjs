// Procedures of the tests' own: types richer than JSON, files by name and bytes, and event iterators to their ends.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ORPCError, getEventMeta } from '@orpc/client'
import { account, client } from './shop.mjs'

test('a procedure whose types are richer than JSON gives what it took', async () => {
  const input = { takenAt: new Date(), tags: new Set(['a', 'b']), count: 2n ** 60n }
  assert.deepEqual(await client().test.echo(input), { ...input, more: null })
})

test('a file comes with its name and bytes', async () => {
  const file = new File([new Uint8Array([0, 255, 13, 10])], 'blüte.png', { type: 'image/png' })
  const told = await client().test.measure({ id: '1', file, title: 'x' })
  assert.deepEqual(told, { name: 'blüte.png', bytes: [0, 255, 13, 10], title: 'x' })
  await assert.rejects(client().test.measure({ id: '1', file: 'text' }), (error) => error.code === 'VALIDATION_ERROR')
})

test('a stream gives its events and ends', async () => {
  const events = []
  for await (const event of await client(await account()).test.tick({ upTo: 3 })) {
    events.push([getEventMeta(event).id, event.number])
  }
  assert.deepEqual(events, [1, 2, 3].map((number) => [String(number), number]))
})

test('it goes on from the last id', async () => {
  const stream = await client(await account()).test.tick({ upTo: 3 }, { lastEventId: '2' })
  const events = []
  for await (const event of stream) events.push(event.number)
  assert.deepEqual(events, [3])
})

test('a failure on the way is a typed error', async () => {
  const stream = await client(await account()).test.tick({ upTo: 99 })
  await assert.rejects(
    async () => {
      for await (const event of stream) assert.ok(event.number <= 50)
    },
    (error) => error instanceof ORPCError && error.code === 'CONFLICT' && error.data.error.message === 'No more.',
  )
})

test('leaving a stream ends it at the server', async () => {
  const shop = client(await account())
  const open = async () => (await shop.test.open()).count
  const stream = await shop.test.wait()
  assert.equal((await stream.next()).value.number, 1)
  assert.equal(await open(), 1)
  await stream.return()
  for (let turn = 0; turn < 200 && (await open()) > 0; turn += 1) await new Promise((done) => setTimeout(done, 20))
  assert.equal(await open(), 0)
})
