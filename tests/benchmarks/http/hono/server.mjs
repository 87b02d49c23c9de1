// The comparison app on Hono 4 and Node: four operations of the shop with the same layers, statements and writes.
import { randomUUID } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { serve } from '@hono/node-server';
import { zValidator } from '@hono/zod-validator';
import Database from 'better-sqlite3';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import { verify } from 'hono/jwt';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import { z } from 'zod';

const [port, file, key, quota] = [Number(process.argv[2]), process.argv[3], process.argv[4], Number(process.argv[5])];
const log = openSync('/dev/null', 'w');
const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = NORMAL');
db.pragma('foreign_keys = ON');

const columns = 'p.id, p.seller_id, p.name, p.slug, p.description, p.price_cents, p.stock, p.version, p.created_at, p.updated_at, c.id AS category_id, c.name AS category_name';
const from = 'FROM products p JOIN categories c ON c.id = p.category_id WHERE p.deleted_at IS NULL';
const sql = {
  session: db.prepare('SELECT u.id, u.roles, s.expires_at, s.revoked_at FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ? AND u.id = ? AND u.deleted_at IS NULL'),
  one: db.prepare(`SELECT ${columns} ${from} AND p.id = ?`),
  images: db.prepare('SELECT url FROM product_images WHERE product_id = ? ORDER BY position'),
  list: db.prepare(`SELECT ${columns} FROM (SELECT * FROM products WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?) p JOIN categories c ON c.id = p.category_id ORDER BY p.created_at DESC, p.id DESC`),
  count: db.prepare('SELECT (SELECT COUNT(*) FROM products) - (SELECT COUNT(*) FROM products WHERE deleted_at IS NOT NULL) AS total'),
  slug: db.prepare('SELECT 1 FROM products WHERE slug = ?'),
  insert: db.prepare('INSERT INTO products (id, seller_id, category_id, name, slug, description, search_text, price_cents, stock, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)'),
  audit: db.prepare('INSERT INTO audit_log (at, actor_id, action, subject_id, details) VALUES (?, ?, ?, ?, ?)'),
  event: db.prepare('INSERT INTO events (at, channel, type, data) VALUES (?, ?, ?, ?)'),
};

// The images of a page in one statement, prepared once for each number of rows.
const ofPage = new Map();
function pageImages(ids) {
  const images = new Map(ids.map((id) => [id, []]));
  if (ids.length === 0) return images;
  let text = ofPage.get(ids.length);
  if (!text) ofPage.set(ids.length, (text = db.prepare(`SELECT product_id, url FROM product_images WHERE product_id IN (${ids.map(() => '?')}) ORDER BY product_id, position`)));
  for (const { product_id, url } of text.all(...ids)) images.get(product_id).push(url);
  return images;
}

const shown = (row, images) => ({
  id: row.id, sellerId: row.seller_id, name: row.name, slug: row.slug, description: row.description,
  price: row.price_cents / 100, stock: row.stock, version: row.version, createdAt: row.created_at,
  updatedAt: row.updated_at, category: { id: row.category_id, name: row.category_name },
  images,
});
const one = (id) => {
  const row = sql.one.get(id);
  return row && shown(row, sql.images.all(id).map((image) => image.url));
};

// A sliding-window log a key, as the reference has it.
const logs = new Map();
const windowMs = 1000;
function take(name, who) {
  const now = performance.now();
  const full = `${name}:${who}`;
  let entries = logs.get(full);
  if (!entries) logs.set(full, (entries = { at: [], head: 0 }));
  while (entries.head < entries.at.length && entries.at[entries.head] <= now - windowMs) entries.head += 1;
  if (entries.head > 10_000) { entries.at.splice(0, entries.head); entries.head = 0; }
  const held = entries.at.length - entries.head;
  const allowed = held < quota;
  if (allowed) entries.at.push(now);
  const reset = entries.at.length > entries.head ? (entries.at[entries.head] + windowMs - now) / 1000 : 0;
  return { allowed, remaining: Math.max(0, quota - held - 1), reset: Math.ceil(reset) };
}
const limited = (name) => async (c, next) => {
  const decision = take(name, c.get('user')?.id ?? 'address');
  c.header('X-RateLimit-Limit', String(quota));
  c.header('X-RateLimit-Remaining', String(decision.remaining));
  c.header('X-RateLimit-Reset', String(Math.ceil(Date.now() / 1000 + decision.reset)));
  if (!decision.allowed) throw new HTTPException(429, { message: 'Too many requests.' });
  await next();
};

const app = new Hono();
app.use('*', requestId());
app.use('*', async (c, next) => {
  const began = performance.now();
  await next();
  writeSync(log, JSON.stringify({ at: new Date().toISOString(), requestId: c.get('requestId'), user: c.get('user')?.id ?? '', method: c.req.method, route: c.req.routePath, status: c.res.status, durationMs: performance.now() - began }) + '\n');
});
app.use('*', secureHeaders());
app.use('*', cors({ origin: ['https://shop.example.test'], credentials: true, maxAge: 86400 }));
app.use('*', compress({ threshold: 1024 }));
app.use('/api/*', async (c, next) => {
  const header = c.req.header('authorization');
  if (header) {
    if (!header.startsWith('Bearer ')) throw new HTTPException(401, { message: 'Send a bearer token.' });
    let claims;
    try { claims = await verify(header.slice(7), key, 'HS256'); } catch { throw new HTTPException(401, { message: 'The token does not hold.' }); }
    const row = sql.session.get(claims.sid, claims.sub);
    if (!row || row.revoked_at || row.expires_at <= new Date().toISOString()) throw new HTTPException(401, { message: 'The session is over.' });
    c.set('user', { id: row.id, roles: row.roles.split(',') });
  }
  await next();
});
app.use('/api/*', async (c, next) => {
  const decision = take('global', c.get('user')?.id ?? 'address');
  c.header('RateLimit-Limit', String(quota));
  c.header('RateLimit-Remaining', String(decision.remaining));
  c.header('RateLimit-Reset', String(decision.reset));
  if (!decision.allowed) throw new HTTPException(429, { message: 'Too many requests.' });
  await next();
});

const refused = (result, c) => {
  if (!result.success) return c.json({ error: { code: 'VALIDATION_ERROR', message: result.error.message, retryable: false, requestId: c.get('requestId') } }, 400);
};
const input = z.strictObject({
  name: z.string().min(1).max(200),
  price: z.number().min(0).max(999999.99),
  categoryId: z.uuid(),
  stock: z.int().min(0).max(1_000_000).default(0),
  description: z.string().max(5000).default(''),
  images: z.array(z.url().max(500)).max(10).default([]),
});
const page = z.strictObject({
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

const slugOf = (name) => name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 200).replace(/^-|-$/g, '') || 'product';
const insert = db.transaction((user, body) => {
  const id = randomUUID();
  let slug = slugOf(body.name);
  if (sql.slug.get(slug)) slug = `${slug}-${id.slice(-12)}`;
  const now = new Date().toISOString();
  sql.insert.run(id, user.id, body.categoryId, body.name, slug, body.description, `${body.name}\n${body.description}`.toLowerCase(), Math.round(body.price * 100), body.stock, now, now);
  sql.audit.run(now, user.id, 'products.create', id, JSON.stringify({ name: body.name }));
  sql.event.run(now, 'products', 'created', JSON.stringify({ id, categoryId: body.categoryId, version: 1 }));
  return one(id);
});

app.get('/health', (c) => { db.prepare('SELECT 1').get(); return c.json({ status: 'ok', timestamp: new Date().toISOString(), uptime: process.uptime(), database: 'up' }); });
app.get('/api/v1/products', limited('list'), zValidator('query', page, refused), (c) => {
  const query = c.req.valid('query');
  const rows = sql.list.all(query.limit, (query.page - 1) * query.limit);
  const images = pageImages(rows.map((row) => row.id));
  const items = rows.map((row) => shown(row, images.get(row.id)));
  const { total } = sql.count.get();
  return c.json({ items, total, page: query.page, pages: Math.ceil(total / query.limit) });
});
app.get('/api/v1/products/:id', limited('get'), (c) => {
  const found = one(c.req.param('id'));
  if (!found) throw new HTTPException(404, { message: 'No such product.' });
  c.header('ETag', `"${found.version}"`);
  return c.json(found);
});
app.post('/api/v1/products', limited('create'), async (c, next) => {
  const user = c.get('user');
  if (!user) throw new HTTPException(401, { message: 'Sign in first.' });
  if (!user.roles.includes('seller') && !user.roles.includes('admin')) throw new HTTPException(403, { message: 'Sellers only.' });
  await next();
}, zValidator('json', input, refused), (c) => {
  const made = insert(c.get('user'), c.req.valid('json'));
  c.header('Location', `/api/v1/products/${made.id}`);
  c.header('ETag', '"1"');
  return c.json(made, 201);
});
app.notFound((c) => c.json({ error: { code: 'NOT_FOUND', message: 'No such path.', retryable: false, requestId: c.get('requestId') } }, 404));
app.onError((error, c) => {
  const status = error instanceof HTTPException ? error.status : 500;
  return c.json({ error: { code: 'ERROR', message: status === 500 ? 'The server failed.' : error.message, retryable: false, requestId: c.get('requestId') } }, status);
});

serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => console.log('up'));
