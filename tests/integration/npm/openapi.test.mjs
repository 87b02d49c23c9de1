// OpenAPILink over REST, its contract made from the served document; errors are decoded from the envelope.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { createORPCClient, ORPCError } from '@orpc/client'
import { oc } from '@orpc/contract'
import { OpenAPILink } from '@orpc/openapi-client/fetch'
import { account, ALONE, category, ORIGIN } from './shop.mjs'

let contract
let shop

/** A procedure for each operation of the document, under the words of its operationId. */
function contractOf(document) {
  const found = {}
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (operation.operationId === undefined) continue
      const words = operation.operationId.split('.')
      const route = { method: method.toUpperCase(), path, inputStructure: 'detailed', outputStructure: 'detailed' }
      let place = found
      for (const word of words.slice(0, -1)) place = place[word] ??= {}
      place[words.at(-1)] = oc.route(route)
    }
  }
  return found
}

function envelope(body, response) {
  if (body?.error === undefined) return undefined
  const { code, message } = body.error
  return new ORPCError(code, { defined: true, status: response.status, message, data: body.error })
}

before(async () => {
  const document = await (await fetch(`${ORIGIN}/openapi.json`)).json()
  contract = contractOf(document)
  const headers = { ...ALONE, authorization: `Bearer ${await account('seller')}` }
  const url = `${ORIGIN}${document.servers?.[0]?.url ?? ''}`
  shop = createORPCClient(new OpenAPILink(contract, { url, headers, customErrorResponseBodyDecoder: envelope }))
})

test('a product is created, got, listed, updated and deleted', async () => {
  const categoryId = await category()
  const body = { name: 'Bowl', price: 19.99, categoryId }
  const made = await shop.products.create({ body })
  assert.deepEqual([made.status, made.headers.etag], [201, '"1"'])
  const params = { id: made.body.id }
  assert.deepEqual((await shop.products.get({ params })).body, made.body)
  const page = await shop.products.list({ query: { category: categoryId, limit: 1 } })
  const { reviews, ...listed } = made.body
  assert.deepEqual([page.body.items, reviews], [[listed], []])
  const headers = { 'if-match': made.headers.etag }
  const changed = await shop.products.update({ params, headers, body: { stock: 7 } })
  assert.deepEqual([changed.body.version, changed.body.stock], [2, 7])
  assert.equal((await shop.products.delete({ params })).status, 204)
})

test('errors are decoded', async () => {
  const is = (code, status) => (error) =>
    error instanceof ORPCError && error.code === code && error.status === status && error.data.requestId !== undefined
  await assert.rejects(shop.products.get({ params: { id: 'nope' } }), is('NOT_FOUND', 404))
  await assert.rejects(shop.products.create({ body: { name: '' } }), is('VALIDATION_ERROR', 400))
  await assert.rejects(shop.users.list({ query: { limit: 0 } }), is('VALIDATION_ERROR', 400))
  await assert.rejects(shop.categories.create({ body: { name: 'x' } }), is('FORBIDDEN', 403))
})
