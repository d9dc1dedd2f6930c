// Fills a demo client with Workers and bots, for measurements. The engine should be the fake one.
// Usage: BASE=http://127.0.0.1:8080 node e2e/fill.mjs workers bots
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { base, demoPassword } from './browser.mjs';

const [workers, bots] = process.argv.slice(2).map(Number);
assert.ok(workers > 0 && bots > 0, 'usage: node e2e/fill.mjs workers bots');
const atOnce = 25;

async function call(cookie, method, path, body) {
  const response = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { cookie, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  if (response.status === 429) {
    await setTimeout(1000 * Number(response.headers.get('retry-after') ?? 1));
    return call(cookie, method, path, body);
  }
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return { response, answer: await response.json() };
}

async function signIn(email) {
  const { response } = await call('', 'POST', '/login', { email, password: demoPassword });
  return response.headers.get('set-cookie').split(';')[0];
}

/** Makes things some at a time; gives their ids. */
async function make(count, one) {
  const ids = [];
  while (ids.length < count) {
    const first = ids.length;
    const some = Array.from({ length: Math.min(atOnce, count - first) }, (_, i) => one(first + i));
    ids.push(...(await Promise.all(some)).map(({ answer }) => answer.id));
  }
  return ids;
}

const operator = await signIn('operador@baas.example');
await call(operator, 'PUT', '/plans/ENTERPRISE', {
  name: 'Enterprise',
  limits: {
    workers: 2 * workers + 100,
    bots: 2 * bots + 100,
    cpu_millis: 1_000_000_000,
    memory_mib: 1_000_000_000,
    disk_gib: 1_000_000,
    members: 1000,
    isolation: ['container', 'sandbox', 'vm'],
  },
});
const owner = await signIn('ana@cliente-a.example');
const made = await make(workers, (i) =>
  call(owner, 'POST', '/tenants/cliente-a/workers', {
    name: `Departamento ${i + 1}`,
    isolation: 'container',
    size: { cpu_millis: 250, memory_mib: 256, disk_gib: 1 },
  }),
);
await make(bots, (i) =>
  call(owner, 'POST', '/tenants/cliente-a/bots', {
    worker_id: made[i % made.length],
    name: `Bot ${i + 1} de atendimento`,
    kind: 'assistant',
  }),
);
console.log(`${workers} Workers with ${bots} bots`);
