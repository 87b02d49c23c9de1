// What the scripts share: clients of the server under test, and accounts to call it by.
import { File } from 'node:buffer'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/fetch'

globalThis.File ??= File // Node 18, which is Debian 12's, has no such global

export const ORIGIN = process.env.SHOP_ORIGIN
export const PASSWORD = 'correct horse battery'
export const ADMIN = 'admin@example.test'

// A connection a call, so that each may meet another worker than the one before.
export const ALONE = { connection: 'close' }

let accounts = 0

export function client(token, options = {}) {
  const headers = token ? { ...ALONE, authorization: `Bearer ${token}` } : ALONE
  return createORPCClient(new RPCLink({ url: `${ORIGIN}/api/rpc`, headers, ...options }))
}

export async function admin() {
  return (await client().auth.login({ email: ADMIN, password: PASSWORD })).accessToken
}

export async function account(...roles) {
  const email = `${process.pid}-${(accounts += 1)}@example.test`
  const user = await client().auth.register({ email, password: PASSWORD, name: 'Ada' })
  if (roles.length > 0) await client(await admin()).users.roles({ id: user.id, roles })
  return (await client().auth.login({ email, password: PASSWORD })).accessToken
}

export async function category() {
  const name = `Bowls ${process.pid} ${(accounts += 1)}`
  return (await client(await admin()).categories.create({ name })).id
}

export async function product(token, members = {}) {
  const body = { name: 'Walnut bowl', price: 19.99, stock: 5, categoryId: await category(), ...members }
  return client(token).products.create(body)
}
