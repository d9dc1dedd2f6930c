import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { describe, expect, it, vi } from 'vitest';
import { keepSame, refreshItems, upsert } from './collection';
import { ApiError } from './problem';

interface Thing {
  id: string;
  name: string;
}
const key = ['things'];
const thing = (id: string, name = id): Thing => ({ id, name });
const gone = new ApiError({ status: 404, code: 'not_found', message: '' });

describe('upsert', () => {
  it('replaces in place, adds at the end, and leaves the others as they are', () => {
    const a = thing('a');
    const next = upsert([a, thing('b')], [thing('b', 'new'), thing('c')]);
    expect(next).toEqual([a, thing('b', 'new'), thing('c')]);
    expect(next[0]).toBe(a);
  });
});

describe('keepSame', () => {
  const item = (id: string, version: number, state: string) => ({ id, version, updated_at: 'u', status: { state } });
  it('keeps the objects of what is as it was, and the list when nothing changed', () => {
    const before = [item('a', 1, 'running'), item('b', 1, 'running')];
    expect(keepSame(before, [item('a', 1, 'running'), item('b', 1, 'running')])).toBe(before);
    const after = keepSame(before, [
      item('a', 1, 'running'),
      item('b', 2, 'running'),
      item('c', 1, 'failed'),
    ]) as object[];
    expect(after[0]).toBe(before[0]);
    expect(after.slice(1)).toEqual([item('b', 2, 'running'), item('c', 1, 'failed')]);
  });
  it('notices another state, another order and what is gone', () => {
    const before = [item('a', 1, 'running'), item('b', 1, 'running')];
    expect(keepSame(before, [item('a', 1, 'failed'), item('b', 1, 'running')])).toEqual([
      item('a', 1, 'failed'),
      item('b', 1, 'running'),
    ]);
    expect(keepSame(before, [before[1], before[0]])).toEqual([before[1], before[0]]);
    expect(keepSame(before, [item('a', 1, 'running')])).toHaveLength(1);
    expect(keepSame(undefined, before)).toBe(before);
  });
});

describe('refreshItems', () => {
  const cacheWith = (...things: Thing[]) => {
    const cache = new QueryClient();
    cache.setQueryData(key, things);
    return cache;
  };

  it('reads few changed items one by one, and drops those that are gone', async () => {
    const cache = cacheWith(thing('a'), thing('b'));
    await refreshItems(cache, key, ['a', 'b', 'c'], async (id) => {
      if (id === 'b') throw gone;
      return thing(id, 'new');
    });
    expect(cache.getQueryData(key)).toEqual([thing('a', 'new'), thing('c', 'new')]);
  });

  it('reads the list again when many changed', async () => {
    const cache = cacheWith(thing('a'));
    const read = vi.fn();
    await refreshItems(
      cache,
      key,
      Array.from({ length: 50 }, (_, i) => String(i)),
      read,
    );
    expect(read).not.toHaveBeenCalled();
    expect(cache.getQueryState(key)?.isInvalidated).toBe(true);
  });

  it('reads the list again when an item can not be read', async () => {
    const cache = cacheWith(thing('a'));
    await refreshItems(cache, key, ['a'], () => Promise.reject(new Error('network')));
    expect(cache.getQueryState(key)?.isInvalidated).toBe(true);
    expect(cache.getQueryData(key)).toEqual([thing('a')]);
  });

  it('begins a first read anew that was on its way when the change came', async () => {
    const cache = new QueryClient();
    let version = 'old';
    const answers: (() => void)[] = [];
    const observer = new QueryObserver(cache, {
      queryKey: key,
      queryFn: () => {
        const seen = version;
        return new Promise<Thing[]>((resolve) => answers.push(() => resolve([thing('a', seen)])));
      },
    });
    const stop = observer.subscribe(() => undefined);
    version = 'new';
    const refreshed = refreshItems(cache, key, ['a'], async (id) => thing(id));
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    for (const answer of answers) answer();
    await refreshed;
    expect(cache.getQueryData(key)).toEqual([thing('a', 'new')]);
    stop();
  });

  it('does nothing about a list that nobody looks at', async () => {
    const read = vi.fn();
    await refreshItems(new QueryClient(), key, ['a'], read);
    expect(read).not.toHaveBeenCalled();
  });
});
