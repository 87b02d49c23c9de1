// The codec over the wire: the npm client's values come back from the Python one as they went.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/fetch'
import { StandardRPCJsonSerializer } from '@orpc/client/standard'
import { ORIGIN } from './shop.mjs'

const echo = createORPCClient(new RPCLink({ url: `${ORIGIN}/codec` })).echo

const VALUES = {
  date: new Date('2026-01-31T12:00:00.123Z'),
  bigint: 12345678901234567890n,
  'small bigint': -5n,
  undefined: undefined,
  'undefined in an array': [1, undefined, undefined],
  nan: Number.NaN,
  url: new URL('https://ada@a.test:8080/b?c=d#e'),
  regexp: /a\/[b"]+\n/gi,
  set: new Set([1, 'a', new Date(0), undefined, new Set([1n])]),
  map: new Map([['a', 1n], [{ b: 1 }, [undefined]], [new Date(5), new Map()]]),
  nested: { a: [{ b: new Map([[new Set([/x/]), { c: [new Date(1), 2n, Number.NaN] }]]) }] },
  empty: { set: new Set(), map: new Map(), list: [], object: {} },
  text: 'ä\u2028\u0000"\\',
  numbers: [0, 1, -1, 0.1, 1e300, 5e-324, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  names: { constructor: 2, 0: 3, '': 4, 'a.b': 5 },
  null: null,
}

for (const [name, value] of Object.entries(VALUES)) {
  test(`${name} comes back`, async () => {
    // A regular expression comes as a lazy proxy: what it says is compared.
    const plain = (item) => JSON.stringify(new StandardRPCJsonSerializer().serialize(item).slice(0, 2))
    const back = await echo(value)
    assert.equal(plain(back), plain(value))
    if (!/\[5[,\]]/.test(plain(value))) assert.deepEqual(back, value)
  })
}

test('what Python writes is what the npm serializer writes', async () => {
  for (const value of Object.values(VALUES)) {
    const [json, meta] = new StandardRPCJsonSerializer().serialize(value)
    const sent = JSON.stringify({ json, ...(meta.length > 0 ? { meta } : {}) })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${ORIGIN}/codec/echo`, { method: 'POST', body: sent, headers })
    assert.deepEqual(await answer.json(), JSON.parse(sent))
  }
})
