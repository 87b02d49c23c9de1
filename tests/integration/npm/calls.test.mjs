// RPCLink of @orpc/client: every kind of call, and errors as their types say.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ORPCError, isDefinedError, safe } from '@orpc/client'
import { account, admin, category, client, product } from './shop.mjs'

let seller
let shop

before(async () => {
  seller = await account('seller')
  shop = client(seller)
})

async function refusal(promise) {
  const { error } = await safe(promise)
  assert.ok(error instanceof ORPCError, `no ORPCError but ${error}`)
  assert.ok(isDefinedError(error))
  assert.equal(error.data.error.code, error.code)
  assert.equal(error.data.error.message, error.message)
  assert.match(error.data.error.requestId, /^[\w-]{1,64}$/)
  return error
}

test('a product is created, got, listed, updated and deleted', async () => {
  const categoryId = await category()
  const made = await shop.products.create({ name: 'Bowl', price: 19.99, stock: 3, categoryId })
  assert.equal(made.price, 19.99)
  assert.equal(made.version, 1)
  assert.deepEqual(await shop.products.get({ id: made.id }), made)
  const page = await shop.products.list({ category: categoryId, limit: 1, sortBy: 'price' })
  const { reviews, ...listed } = made
  assert.deepEqual([page.total, page.items, reviews], [1, [listed], []])
  const changed = await shop.products.update({ id: made.id, version: 1, stock: 0, name: undefined })
  assert.deepEqual([changed.version, changed.stock, changed.name], [2, 0, 'Bowl'])
  assert.equal(await shop.products.delete({ id: made.id }), undefined)
  assert.equal((await refusal(shop.products.get({ id: made.id }))).status, 404)
})

test('a call without input and a call by GET are served', async () => {
  assert.deepEqual((await shop.auth.me()).roles, ['user', 'seller'])
  const reading = client(undefined, { method: (_options, path) => (path.at(-1) === 'list' ? 'GET' : 'POST') })
  assert.equal((await reading.products.list({ limit: 1 })).page, 1)
  assert.equal((await reading.products.list()).page, 1)
})

test('errors have code, status, message and the envelope as data', async () => {
  const made = await product(seller)
  const bad = await refusal(shop.products.create({ name: '', price: 1.999 }))
  assert.deepEqual([bad.code, bad.status], ['VALIDATION_ERROR', 400])
  assert.ok(bad.data.error.details[0].field)
  const missing = await refusal(shop.products.update({ id: made.id, stock: 1 }))
  assert.deepEqual([missing.code, missing.status], ['PRECONDITION_REQUIRED', 428])
  const stale = await refusal(shop.products.update({ id: made.id, stock: 1, version: 9 }))
  assert.deepEqual([stale.code, stale.status], ['CONFLICT', 409])
  const stranger = client(await account('seller'))
  assert.equal((await refusal(stranger.products.delete({ id: made.id }))).code, 'FORBIDDEN')
  assert.equal((await refusal(client().auth.me())).code, 'UNAUTHORIZED')
  assert.equal((await refusal(client('no token').products.list())).status, 401)
  assert.equal((await refusal(shop.products.nothing({}))).code, 'NOT_FOUND')
  const tenant = client(undefined, { headers: { 'x-tenant-id': 'nowhere' } })
  assert.equal((await refusal(tenant.products.list())).message, 'No such tenant.')
  const short = await refusal(shop.orders.create({ items: [{ productId: made.id, quantity: 999 }] }))
  assert.deepEqual([short.code, short.status], ['INSUFFICIENT_STOCK', 409])
})

test('an order takes its idempotency key and draws stock', async () => {
  const made = await product(seller, { stock: 2 })
  const order = await shop.orders.create({ items: [{ productId: made.id, quantity: 2 }] })
  assert.equal(order.total, 39.98)
  assert.equal((await shop.products.get({ id: made.id })).stock, 0)
  assert.equal((await shop.orders.cancel({ id: order.id })).status, 'cancelled')
})

test('rich values stand for those of the contract', async () => {
  const page = await shop.products.list({ limit: 5n, page: 1, search: undefined })
  assert.equal(page.page, 1)
  const line = (productId) => new Map(Object.entries({ productId, quantity: 1n }))
  const made = await product(seller)
  const order = await shop.orders.create({ items: new Set([line(made.id)]) })
  assert.deepEqual(order.items.map((item) => item.productId), [made.id])
  const images = [new URL('https://a.test/1')]
  assert.deepEqual((await product(seller, { images })).images.map((image) => image.url), ['https://a.test/1'])
  for (const limit of [Number.NaN, /1/, new Date(), 10n ** 40n, '1', new Set([1])]) {
    assert.equal((await refusal(shop.products.list({ limit }))).code, 'VALIDATION_ERROR', String(limit))
  }
})

test('an admin updates many products at once', async () => {
  const made = [await product(seller), await product(seller)]
  const absent = '01980000-0000-7000-8000-000000000000'
  const ids = new Set([...made.map((one) => one.id), absent])
  assert.deepEqual(await client(await admin()).products.batchUpdate({ ids, discount: 10 }), { updated: 2, failed: [absent] })
  assert.equal((await shop.products.get({ id: made[0].id })).discount, 10)
  assert.equal((await refusal(shop.products.batchUpdate({ ids, discount: 10 }))).code, 'FORBIDDEN')
})

test('an image is uploaded as a File', async () => {
  const made = await product(seller)
  const bytes = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC', 'base64')
  const image = new File([bytes], 'dot.png', { type: 'image/png' })
  const changed = await shop.products.uploadImage({ id: made.id, image })
  assert.deepEqual([changed.version, changed.images.length], [2, 1])
  const text = new File(['no picture'], 'dot.png', { type: 'image/png' })
  const refused = await refusal(shop.products.uploadImage({ id: made.id, image: text }))
  assert.ok([400, 415].includes(refused.status), String(refused.status))
  assert.equal((await refusal(client().products.uploadImage({ id: made.id, image }))).status, 401)
  assert.equal((await refusal(shop.products.list({ search: image }))).code, 'UNSUPPORTED_MEDIA_TYPE')
})
