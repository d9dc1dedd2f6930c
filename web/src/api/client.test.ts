import { afterEach, describe, expect, it, vi } from 'vitest';
import { allPages, client, must, persistentFetch, whenUnauthenticated } from './client';
import { ApiError } from './problem';

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  whenUnauthenticated(undefined);
});

it('reads every page of a list', async () => {
  const pages: Record<string, { items: number[] | null; next?: string }> = {
    '': { items: [1, 2], next: 'x' },
    x: { items: null, next: 'y' },
    y: { items: [3] },
  };
  expect(await allPages(async (cursor) => pages[cursor ?? ''] ?? { items: [] })).toEqual([1, 2, 3]);
});

describe('a request', () => {
  it('is tried again when the connection breaks, and the same key goes with it', async () => {
    vi.useFakeTimers();
    const keys: (string | null)[] = [];
    vi.stubGlobal('fetch', async (request: Request) => {
      keys.push(request.headers.get('Idempotency-Key'));
      if (keys.length < 3) throw new TypeError('Failed to fetch');
      return json({ ok: true });
    });
    const pending = persistentFetch(
      new Request('http://x.test/', { method: 'POST', body: '{}', headers: { 'Idempotency-Key': 'k' } }),
    );
    await vi.runAllTimersAsync();
    expect((await pending).ok).toBe(true);
    expect(keys).toEqual(['k', 'k', 'k']);
  });

  it('ends as a network error when it never gets through', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    const pending = persistentFetch(new Request('http://x.test/')).catch((e: unknown) => e);
    await vi.runAllTimersAsync();
    expect(await pending).toMatchObject({ code: 'network', status: 0 });
  });

  it('carries a key of its own when it writes, and none when it reads', async () => {
    const seen: (string | null)[] = [];
    vi.stubGlobal('fetch', async (request: Request) => {
      seen.push(request.headers.get('Idempotency-Key'));
      return json({ items: [] });
    });
    const baseUrl = 'http://x.test/api/v1';
    await client.POST('/logout', { baseUrl });
    await client.POST('/logout', { baseUrl });
    await client.GET('/me', { baseUrl });
    expect(seen[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(seen[1]).not.toBe(seen[0]);
    expect(seen[2]).toBeNull();
  });

  it('joins lists in the address with commas, as the API reads them', async () => {
    let address = '';
    vi.stubGlobal('fetch', async (request: Request) => {
      address = decodeURIComponent(request.url);
      return json({ items: [] });
    });
    await client.GET('/tenants/{tenant}/events', {
      baseUrl: 'http://x.test/api/v1',
      params: { path: { tenant: 't' }, query: { level: ['warning', 'error'] } },
    });
    expect(address).toBe('http://x.test/api/v1/tenants/t/events?level=warning,error');
  });
});

describe('must', () => {
  const answer = (body: unknown, status: number, headers = {}) => {
    const response = json(body, status, headers);
    return Promise.resolve(status < 400 ? { data: body, response } : { error: body, response });
  };

  it('gives the data', async () => {
    expect(await must(answer({ id: 1 }, 200))).toEqual({ id: 1 });
  });

  it('throws the problem with its fields', async () => {
    const problem = {
      status: 422,
      code: 'invalid',
      detail: 'some fields are wrong',
      errors: [{ field: 'body.name', message: 'is empty' }],
    };
    const error = await must(answer(problem, 422)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 'invalid', fields: [{ field: 'name', message: 'is empty' }] });
  });

  it('understands an answer that is no problem document, and when to try again', async () => {
    const error = await must(answer('oops', 503, { 'Retry-After': '7' })).catch((e: unknown) => e);
    expect(error).toMatchObject({ status: 503, code: 'internal', retryAfter: 7 });
  });

  it('tells when the log-in has ended', async () => {
    const ended = vi.fn();
    whenUnauthenticated(ended);
    await must(answer({ code: 'unauthenticated' }, 401)).catch(() => undefined);
    expect(ended).toHaveBeenCalledOnce();
  });
});
