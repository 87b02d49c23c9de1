// Event iterators: products as they are committed, going on from the last id, and a refusal before the start.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getEventMeta } from '@orpc/client'
import { account, category, client, product } from './shop.mjs'

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

test('a refusal before the start is an ordinary error', async () => {
  await assert.rejects(client().products.subscribe(), (error) => error.code === 'UNAUTHORIZED')
})
