// BatchLinkPlugin: ten calls in one request, in both modes, by POST and by GET.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchLinkPlugin } from '@orpc/client/plugins'
import { account, client, product } from './shop.mjs'

function batching(token, options = {}, link = {}) {
  const requests = []
  const fetching = async (request, init) => {
    requests.push(`${request.method} ${new URL(request.url).pathname}`)
    const response = await fetch(request, init)
    requests.push(response.status)
    return response
  }
  const plugins = [new BatchLinkPlugin({ groups: [{ condition: () => true, context: {} }], ...options })]
  return [client(token, { plugins, fetch: fetching, ...link }), requests]
}

for (const mode of ['streaming', 'buffered']) {
  test(`ten calls are one request, ${mode}`, async () => {
    const token = await account('seller')
    const made = await product(token)
    const [shop, requests] = batching(token, { mode })
    const calls = [shop.products.get({ id: made.id }), shop.products.get({ id: 'nope' }), shop.auth.me()]
    while (calls.length < 10) calls.push(shop.products.list({ limit: 1, page: calls.length }))
    const results = await Promise.allSettled(calls)
    assert.deepEqual(requests, ['POST /api/rpc/products/get/__batch__', 207])
    assert.deepEqual(results[0].value, made)
    assert.deepEqual([results[1].reason.code, results[1].reason.status], ['NOT_FOUND', 404])
    assert.equal(results[1].reason.data.error.code, 'NOT_FOUND')
    assert.deepEqual(results[2].value.roles, ['user', 'seller'])
    assert.deepEqual(results.slice(3).map((result) => result.value.page), [3, 4, 5, 6, 7, 8, 9])
  })
}

test('reads are batched by GET', async () => {
  const [shop, requests] = batching(undefined, {}, { method: 'GET' })
  const pages = await Promise.all([shop.products.list({ page: 1 }), shop.categories.list()])
  assert.deepEqual(requests, ['GET /api/rpc/products/list/__batch__', 207])
  assert.deepEqual(pages.map((page) => page.page), [1, 1])
})

test('a token that does not hold fails each call with 401', async () => {
  const [shop] = batching('no token')
  const results = await Promise.allSettled([shop.products.list(), shop.auth.me()])
  assert.deepEqual(results.map((result) => result.reason.code), ['UNAUTHORIZED', 'UNAUTHORIZED'])
})

test('more than ten calls are two requests', async () => {
  const [shop, requests] = batching()
  await Promise.all(Array.from({ length: 12 }, (_, page) => shop.products.list({ page: page + 1 })))
  assert.equal(requests.filter((entry) => entry === 207).length, 2)
})
