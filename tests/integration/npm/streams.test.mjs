// Event iterators: values with their ids, the end, a failure on the way, and going on from the last id.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ORPCError, getEventMeta } from '@orpc/client'
import { account, client } from './shop.mjs'

test('a stream gives its events and ends', async () => {
  const events = []
  for await (const event of await client(await account()).test.tick({ upTo: 3 })) {
    events.push([getEventMeta(event).id, event.kind, event.data])
  }
  assert.deepEqual(events, [1, 2, 3].map((number) => [String(number), 'tick', { number }]))
})

test('it goes on from the last id', async () => {
  const stream = await client(await account()).test.tick({ upTo: 3 }, { lastEventId: '2' })
  const events = []
  for await (const event of stream) events.push(event.data.number)
  assert.deepEqual(events, [3])
})

test('a failure on the way is a typed error', async () => {
  const stream = await client(await account()).test.tick({ upTo: 99 })
  await assert.rejects(
    async () => {
      for await (const event of stream) assert.ok(event.data.number <= 50)
    },
    (error) => error instanceof ORPCError && error.code === 'CONFLICT' && error.data.error.message === 'No more.',
  )
})

test('leaving a stream ends it at the server', async () => {
  const shop = client(await account())
  const open = async () => (await shop.test.open()).count
  const stream = await shop.test.wait()
  assert.equal((await stream.next()).value.data.number, 1)
  assert.equal(await open(), 1)
  await stream.return()
  for (let turn = 0; turn < 200 && (await open()) > 0; turn += 1) await new Promise((done) => setTimeout(done, 20))
  assert.equal(await open(), 0)
})

test('a refusal before the start is an ordinary error', async () => {
  await assert.rejects(client().test.tick({ upTo: 1 }), (error) => error.code === 'UNAUTHORIZED')
})
