// Event iterators: values with their ids, the end, a failure on the way, and going on from the last id.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ORPCError, getEventMeta } from '@orpc/client'
import { account, category, client, product } from './shop.mjs'

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

test('products are told as they are committed', async () => {
  const seller = await account('seller')
  const shop = client(seller)
  const categoryId = await category()
  const stream = await shop.products.subscribe({ categoryId })
  await product(seller)
  const made = await product(seller, { categoryId })
  await shop.products.update({ id: made.id, version: 1, stock: 1 })
  const first = await stream.next()
  const second = await stream.next()
  assert.deepEqual([first.value.type, second.value.type], ['created', 'updated'])
  assert.deepEqual([first.value.id, second.value.id], [made.id, made.id])
  assert.ok(Number(getEventMeta(second.value).id) > Number(getEventMeta(first.value).id))
  await stream.return()
  const again = await shop.products.subscribe({ categoryId }, { lastEventId: getEventMeta(first.value).id })
  assert.equal((await again.next()).value.type, 'updated')
  await again.return()
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

test('a refusal before the start is an ordinary error', async () => {
  await assert.rejects(client().test.tick({ upTo: 1 }), (error) => error.code === 'UNAUTHORIZED')
})
