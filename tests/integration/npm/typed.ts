// Compiles against types that openapi-typescript made of the served document; what is marked must not compile.
import createClient from 'openapi-fetch'
import type { components, paths } from './schema.js'

type Item = components['schemas']['ProductItem']
type Envelope = components['schemas']['ErrorEnvelope']

const client = createClient<paths>({ baseUrl: 'http://shop.test' })

export async function names(categoryId: string): Promise<string[]> {
  const { data, error } = await client.GET('/api/v1/products', {
    params: { query: { category: categoryId, limit: 5, sortBy: 'price', sortOrder: 'desc' } },
  })
  if (error !== undefined) {
    const envelope: Envelope = error
    throw new Error(`${envelope.error.code}: ${envelope.error.message}`)
  }
  return data.items.map((product: Item) => product.name)
}

export async function rename(id: string, version: number, name: string): Promise<number | undefined> {
  const { data } = await client.PATCH('/api/v1/products/{id}', { params: { path: { id } }, body: { version, name } })
  return data?.version
}

export async function wrong(): Promise<void> {
  // @ts-expect-error the path has a parameter
  await client.GET('/api/v1/products/{id}')
  // @ts-expect-error there is no such order
  await client.GET('/api/v1/products', { params: { query: { sortBy: 'colour' } } })
  // @ts-expect-error a product has a price
  await client.POST('/api/v1/products', { body: { name: 'Bowl', categoryId: 'c' } })
  // @ts-expect-error there is no such path
  await client.GET('/api/v1/nothing')
}
