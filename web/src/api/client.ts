import createClient, { type Middleware } from 'openapi-fetch';
import { ApiError, errorOf } from './problem';
import type { paths } from './schema';

/** A random key: the server carries out a write once however often the same key arrives. */
export function idempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

const writes = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Every write carries a key, so that sending it again after a lost answer is safe. */
const idempotency: Middleware = {
  onRequest({ request }) {
    if (writes.has(request.method) && !request.headers.has('Idempotency-Key')) {
      request.headers.set('Idempotency-Key', idempotencyKey());
    }
    return request;
  },
};

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Tries again when the connection broke before there was an answer; the idempotency key makes that safe. */
export async function persistentFetch(request: Request): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetch(request.clone());
    } catch (cause) {
      if (request.signal.aborted) throw cause;
      if (attempt >= 2) {
        throw new ApiError({ status: 0, code: 'network', message: cause instanceof Error ? cause.message : '' });
      }
      await wait(300 * 2 ** attempt);
    }
  }
}

export const client = createClient<paths>({
  baseUrl: '/api/v1',
  credentials: 'same-origin',
  fetch: persistentFetch,
  querySerializer: { array: { style: 'form', explode: false } },
});
client.use(idempotency);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

let onUnauthenticated: (() => void) | undefined;

/** Says what happens when the log-in has ended. */
export function whenUnauthenticated(callback: (() => void) | undefined): void {
  onUnauthenticated = callback;
}

/** Gives the data of an answer, or throws its ApiError. */
export async function must<T>(pending: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await pending;
  if (!response.ok) {
    const problem = errorOf(response, error);
    if (problem.status === 401) onUnauthenticated?.();
    throw problem;
  }
  return data as NonNullable<T>;
}

/** The header of an update: refuse it when the thing has changed since it was read. */
export const ifMatch = (version: number) => ({ 'If-Match': `"${version}"` });

/** Reads every page of a list. */
export async function allPages<T>(
  page: (cursor: string | undefined) => Promise<{ items: T[] | null; next?: string }>,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const { items: more, next } = await page(cursor);
    items.push(...(more ?? []));
    cursor = next || undefined;
  } while (cursor);
  return items;
}
